package pyagent;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.gson.*;
import com.sun.jna.Native;
import com.sun.jna.ptr.LongByReference;
import java.lang.ref.Cleaner;
import java.nio.*;
import java.util.*;
import java.util.concurrent.*;

/**
 * Streams of pyagent for Java: an iterator, or a publisher, gives events. docs/hosts/java.md explains it by an example.
 * A PyAgent is a client: a vendor, a key and settings. Any number of threads may start streams from it.
 */
public final class PyAgent implements AutoCloseable {
    /** What an event is; the numbers are those of docs/abi.md#frames. */
    public enum Kind {
        TEXT(1), REASONING(2), REFUSAL(3), TOOL_ARGS(4), START(16), TOOL_BEGIN(17), TOOL_END(18), USAGE(19),
        LOGPROBS(20), ANNOTATION(21), PART(22), DETAIL(23), RETRY(24), RAW(25), NOTICE(26), ITEM(27), VECTOR(32),
        FINISH(64), RESULT(65), ERROR(66);

        private final int number;
        Kind(int number) { this.number = number; }
    }

    /** A piece of an answer: text in the first four kinds, a vector in VECTOR, JSON in the others. */
    public record Event(Kind kind, int index, Object data) {
        public String text() { return (String) data; }
        public float[] vector() { return (float[]) data; }
        public JsonObject json() { return (JsonObject) data; }
    }

    /** Why a stream failed: kind is one of docs/errors.md, status that of HTTP or 0, details are all that is known. */
    @SuppressWarnings("serial") public static final class StreamException extends RuntimeException {
        private final JsonObject details;
        private StreamException(JsonObject details) {
            super(details.get("message").getAsString());
            this.details = details;
        }

        public String kind() { return details.get("kind").getAsString(); }
        public int status() { return details.has("status_code") ? details.get("status_code").getAsInt() : 0; }
        public JsonObject details() { return details; }
    }

    /** One request from its start to its end. One thread reads it, once; any may cancel or close it. */
    public static final class Stream implements Iterator<Event>, Iterable<Event>, Flow.Publisher<Event>, AutoCloseable {
        private final long call;
        private final Cleaner.Cleanable closing;
        private final LongByReference used = new LongByReference();
        private final Queue<Event> events = new ArrayDeque<>();
        private final Map<Integer, JsonObject> tools = new HashMap<>();
        private final Map<Integer, StringBuilder> arguments = new HashMap<>();
        private StreamException error;
        private boolean ended;

        private Stream(long client, Map<String, ?> request) {
            Map<String, Object> whole = new HashMap<>(Map.of("op", "stream"));
            whole.putAll(request);
            byte[] text = new Gson().toJson(whole).getBytes(UTF_8);
            LongByReference handle = new LongByReference();
            check(pyagent_submit(client, 0, text, text.length, handle));
            call = handle.getValue();
            closing = CLEANER.register(this, () -> pyagent_close(handle.getValue()));
        }

        @Override public Iterator<Event> iterator() { return this; }

        /** Waits for an event. False once the answer is complete; a failure is a StreamException. */
        @Override public boolean hasNext() {
            while (events.isEmpty() && error == null && !ended) receive();
            if (events.isEmpty() && error != null) throw error;
            return !events.isEmpty();
        }

        @Override public Event next() {
            if (!hasNext()) throw new NoSuchElementException();
            return events.remove();
        }

        private void receive() {
            ByteBuffer buffer = Objects.requireNonNullElseGet(BUFFERS.poll(), () -> allocate(64 * 1024));
            int status;
            while ((status = pyagent_poll(call, buffer, buffer.capacity(), -1, used)) == TOO_SMALL)
                buffer = allocate((int) used.getValue());
            if (status == CLOSED)
                take(Kind.ERROR, 0, parse("{'kind': 'cancelled', 'message': 'the stream was closed'}"));
            else check(status);
            for (int at = 0, size; status == OK && at < used.getValue(); at += HEADER + size) {
                size = buffer.getInt(at);
                int number = buffer.get(at + 4), index = buffer.getShort(at + 6);
                ByteBuffer payload = buffer.slice(at + HEADER, size).order(ByteOrder.LITTLE_ENDIAN);
                for (Kind kind : Kind.values()) // none if the library is newer than this binding
                    if (kind.number == number) decode(kind, index, buffer.get(at + 5) == MANY, payload);
                ended |= number >= TERMINAL;
            }
            BUFFERS.add(buffer);
        }

        private void decode(Kind kind, int index, boolean many, ByteBuffer payload) {
            FloatBuffer floats = payload.asFloatBuffer();
            if (kind == Kind.VECTOR) take(kind, index, FloatBuffer.allocate(floats.remaining()).put(floats).array());
            else if (kind.number >= FIRST_JSON) take(kind, index, parse(UTF_8.decode(payload).toString()));
            else if (!many) take(kind, index, UTF_8.decode(payload).toString());
            else for (String delta : UTF_8.decode(payload).toString().split("\0")) take(kind, index, delta);
        }

        private void take(Kind kind, int index, Object data) {
            if (kind == Kind.TOOL_BEGIN) tools.put(index, (JsonObject) data);
            if (kind == Kind.TOOL_BEGIN) arguments.put(index, new StringBuilder());
            if (kind == Kind.TOOL_ARGS) arguments.get(index).append(data);
            if (kind == Kind.TOOL_END) tools.get(index).addProperty("arguments", arguments.get(index).toString());
            if (kind == Kind.ERROR) error = new StreamException((JsonObject) data);
            else events.add(new Event(kind, index, kind == Kind.TOOL_END ? tools.get(index) : data));
        }

        /** Gives the events to one subscriber, on a thread of its own. */
        @Override public void subscribe(Flow.Subscriber<? super Event> subscriber) {
            Semaphore demand = new Semaphore(0);
            Thread thread = new Thread(() -> {
                try (Stream stream = this) {
                    for (; stream.hasNext(); subscriber.onNext(stream.next())) demand.acquire();
                    subscriber.onComplete();
                } catch (InterruptedException cancelled) { // by the subscriber, who wants to hear nothing more
                } catch (RuntimeException failure) {
                    if (!Thread.interrupted()) subscriber.onError(failure);
                }
            }, "pyagent stream");
            thread.setDaemon(true);
            subscriber.onSubscribe(new Flow.Subscription() {
                @Override public void request(long count) {
                    demand.release((int) Math.min(count, Integer.MAX_VALUE - demand.availablePermits()));
                }

                @Override public void cancel() { thread.interrupt(); close(); }
            });
            thread.start();
        }

        /** Ends the stream: reading it then fails with the kind "cancelled". */
        public void cancel() { pyagent_cancel(call); }

        /** Closes the stream and its connection at once. */
        @Override public void close() { closing.clean(); }
    }

    private static final int OK = 0, CLOSED = -2, TOO_SMALL = -4, HEADER = 16, MANY = 1, FIRST_JSON = 16, TERMINAL = 64;
    private static final Cleaner CLEANER = Cleaner.create();
    private static final Queue<ByteBuffer> BUFFERS = new ConcurrentLinkedQueue<>(); // that no thread polls into
    private final long client;
    private final Cleaner.Cleanable closing;

    /** Opens a client; docs/abi.md#configuration says what it may be told. */
    public PyAgent(Map<String, ?> config) {
        byte[] text = new Gson().toJson(config).getBytes(UTF_8);
        LongByReference handle = new LongByReference();
        check(pyagent_client_open(text, text.length, handle));
        client = handle.getValue();
        closing = CLEANER.register(this, () -> pyagent_close(handle.getValue()));
    }

    /** Starts a request of docs/abi.md#request, op "stream" unless it names one. */
    public Stream stream(Map<String, ?> request) { return new Stream(client, request); }

    /** Closes the client. Its streams go on. */
    @Override public void close() { closing.clean(); }

    /** What the library says about itself, among it how many handles are open. */
    public static JsonObject inspect() {
        ByteBuffer buffer = allocate(1 << 20);
        LongByReference used = new LongByReference();
        check(pyagent_inspect(0, buffer, buffer.capacity(), used));
        return parse(UTF_8.decode(buffer.slice(0, (int) used.getValue())).toString());
    }

    private static void check(int status) {
        if (status < 0) throw new IllegalStateException("pyagent: " + pyagent_status_name(status));
    }

    static ByteBuffer allocate(int size) { return ByteBuffer.allocateDirect(size).order(ByteOrder.LITTLE_ENDIAN); }

    private static JsonObject parse(String text) { return JsonParser.parseString(text).getAsJsonObject(); }

    static {
        Native.register(System.getenv().getOrDefault("PYAGENT_LIBRARY", "pyagent"));
        if (pyagent_abi_version() != 1) throw new UnsatisfiedLinkError("this is for version 1 of pyagent's interface");
    }

    private static native int pyagent_abi_version();
    private static native String pyagent_status_name(int status);
    private static native int pyagent_client_open(byte[] config, long size, LongByReference client);
    private static native int pyagent_submit(long client, long inbox, byte[] request, long size, LongByReference call);
    private static native int pyagent_poll(long call, ByteBuffer buffer, long size, int timeout, LongByReference used);
    private static native int pyagent_cancel(long call);
    private static native int pyagent_inspect(long handle, ByteBuffer buffer, long size, LongByReference used);
    private static native int pyagent_close(long handle);
}
