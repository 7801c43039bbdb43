import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Flow;
import java.util.concurrent.Future;
import pyagent.PyAgent;
import pyagent.PyAgent.Event;
import pyagent.PyAgent.Kind;
import pyagent.PyAgent.Stream;
import pyagent.PyAgent.StreamException;

/** The six checks of docs/hosts/index.md, in Java, by threads and by subscribers. */
class Checks {
    static final Map<?, ?> STALLS = Map.of("text", "a b c d", "after", 2, "end", "stall");
    static final PyAgent model =
        new PyAgent(Map.of("provider", "compatible", "base_url", System.getenv("PYAGENT_SERVER")));
    static final BufferedReader answers = new BufferedReader(new InputStreamReader(System.in));

    interface Check {
        void run() throws Exception;
    }

    public static void main(String[] arguments) throws Exception {
        Map<String, Check> checks = Map.of("stream", Checks::stream, "tools", Checks::tools, "error", Checks::error,
            "cancel", Checks::cancel, "many", Checks::many, "handles", Checks::handles);
        for (String name : List.of("stream", "tools", "error", "cancel", "many", "handles")) {
            for (int times = name.equals("many") ? Integer.parseInt(System.getenv("PYAGENT_TIMES")) : 1; times > 0; times--) {
                checks.get(name).run();
                System.out.println("ok " + name);
            }
        }
    }

    static void stream() throws Exception {
        try (PyAgent echo = new PyAgent(Map.of("provider", "echo"))) {
            String text = "one two three ünï 🌍";
            List<String> deltas = read(echo.stream(ask(text, Map.of())));
            must(deltas.size() > 1, "there is more than one delta");
            equal(text, String.join("", deltas));
            Subscriber subscriber = new Subscriber(1);
            echo.stream(ask(text, Map.of())).subscribe(subscriber);
            equal(text, subscriber.text.get());
        }
        equal(List.of("a\0b", "c"), read(model.stream(ask("nul", Map.of("pieces", List.of("a\0b", "c"))))));

        // Frames that no delta can be cut from, and are larger than the buffer, come whole; so do vectors.
        Map<String, Object> large = ask("raw", Map.of("pieces", List.of("x".repeat(200_000))));
        large.put("include_raw", true);
        int longest = 0;
        for (Event event : model.stream(large)) {
            if (event.kind() == Kind.RAW) longest = Math.max(longest, event.json().toString().length());
        }
        must(longest > 200_000, "the frame is whole");
        int vectors = 0;
        Map<String, ?> embed = Map.of("op", "embed", "model", "m", "input", List.of("a", "b"), "dimensions", 3);
        try (PyAgent echo = new PyAgent(Map.of("provider", "echo"))) {
            for (Event event : echo.stream(embed)) {
                if (event.kind() == Kind.VECTOR && event.vector().length == 3 && event.vector()[0] != 0) vectors++;
            }
        }
        equal(2, vectors);
    }

    static void tools() {
        Map<?, ?> parameters = Map.of("type", "object", "properties", Map.of("city", Map.of("type", "string")));
        Map<?, ?> tool = Map.of("type", "function", "function", Map.of("name", "get_weather", "parameters", parameters));
        Map<?, ?> called = Map.of("name", "get_weather", "arguments", Map.of("city", "Oslo"));
        Map<String, Object> request = ask("tools", Map.of("tools", List.of(called), "tool_piece", 3));
        request.put("tools", List.of(tool));
        JsonObject call = null;
        try (Stream stream = model.stream(request)) {
            for (Event event : stream) if (event.kind() == Kind.TOOL_END) call = event.json();
        }
        String id = call.get("id").getAsString(), arguments = call.get("arguments").getAsString();
        equal("call_1", id);
        equal("get_weather", call.get("name").getAsString());
        equal("Oslo", JsonParser.parseString(arguments).getAsJsonObject().get("city").getAsString());

        Map<?, ?> said = Map.of("id", id, "type", "function", "function",
            Map.of("name", "get_weather", "arguments", arguments));
        List<Object> messages = new ArrayList<>((List<?>) request.get("messages"));
        messages.add(Map.of("role", "assistant", "tool_calls", List.of(said)));
        messages.add(Map.of("role", "tool", "tool_call_id", id, "content", "7 degrees"));
        request.put("messages", messages);
        request.put("extra_body", Map.of("fake", Map.of("text", "It is 7 degrees.")));
        equal("It is 7 degrees.", String.join("", read(model.stream(request))));
    }

    static void error() throws Exception {
        Map<?, ?> limited = Map.of("status", 429, "body", Map.of("error", Map.of("message", "Slow down.")));
        StreamException failure = failure(model.stream(ask("error", limited)));
        equal("rate_limit 429", failure.kind() + " " + failure.status());
        must(failure.getMessage().contains("Slow down."), failure.getMessage());
        must(failure.details().get("is_retryable").getAsBoolean(), "all details are there");

        Subscriber subscriber = new Subscriber(Long.MAX_VALUE);
        model.stream(Map.of("model", "m")).subscribe(subscriber);
        failure = subscriber.failure.get();
        equal("configuration 0", failure.kind() + " " + failure.status());
        must(failure.getMessage().contains("messages"), failure.getMessage());
        survive();
    }

    /** The signals by which the virtual machine works still reach it, on a thread that has been in the library. */
    static void survive() {
        int caught = 0;
        String[] texts = {null, ""};
        for (int i = 0; i < 100_000; i++) {
            try {
                caught += texts[i % 2].length();
            } catch (NullPointerException expected) {
                caught++;
            }
        }
        equal(50_000, caught);
        for (int i = 0; i < 20; i++) {
            try {
                descend(0);
                must(false, "a stack has an end");
            } catch (StackOverflowError expected) {
                equal("still", String.join("", read(model.stream(ask("still", Map.of())))));
            }
        }
    }

    static int descend(int depth) {
        return descend(depth + 1) + 1;
    }

    static void cancel() throws Exception {
        Stream stream = model.stream(ask("cancel", STALLS));
        untilText(stream);
        Thread other = new Thread(stream::cancel);
        other.start();
        equal("cancelled", failure(stream).kind());
        other.join();
        gone("cancel");

        Stream closed = model.stream(ask("closed", STALLS));
        untilText(closed);
        new Thread(closed::close).start();
        equal("cancelled", failure(closed).kind());

        Subscriber subscriber = new Subscriber(Long.MAX_VALUE);
        model.stream(ask("unsubscribed", STALLS)).subscribe(subscriber);
        subscriber.first.await();
        subscriber.subscription.cancel();
        gone("unsubscribed");
        must(!subscriber.text.isDone(), "who cancels is told nothing more");
    }

    static void many() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(50);
        List<Future<String>> texts = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            Map<String, Object> request = ask("many " + i, Map.of("header_delay", 3));
            Subscriber subscriber = new Subscriber(1);
            if (i % 2 == 0) texts.add(threads.submit(() -> String.join("", read(model.stream(request)))));
            else {
                model.stream(request).subscribe(subscriber);
                texts.add(subscriber.text);
            }
        }
        for (int i = 0; i < 100; i++) equal("many " + i, texts.get(i).get());
        threads.shutdown();
    }

    static void handles() throws Exception {
        try (Stream stream = model.stream(ask("left", STALLS))) {
            untilText(stream);
        }
        gone("left");
        model.stream(ask("forgotten", STALLS));
        new PyAgent(Map.of());
        for (int i = 0; i < 500 && !open().equals("{'clients':1,'inboxes':0,'calls':0,'working':0}"); i++) {
            System.gc(); // a stream and a client that nobody closed, and nobody has
            Thread.sleep(10);
        }
        equal("{'clients':1,'inboxes':0,'calls':0,'working':0}", open());
        model.close();
        model.close();
        equal("{'clients':0,'inboxes':0,'calls':0,'working':0}", open());
        try {
            model.stream(Map.of("model", "m"));
            must(false, "a closed client starts nothing");
        } catch (IllegalStateException expected) {
            must(expected.getMessage().contains("closed"), expected.getMessage());
        }
    }

    static String open() {
        return PyAgent.inspect().get("handles").toString().replace('"', '\'');
    }

    static Map<String, Object> ask(String content, Map<?, ?> script) {
        return new HashMap<>(Map.of("model", "m", "max_retries", 0, "extra_body", Map.of("fake", script),
            "messages", List.of(Map.of("role", "user", "content", content))));
    }

    /** The text of a stream, which ends well. */
    static List<String> read(Stream stream) {
        List<String> deltas = new ArrayList<>();
        Kind last = null;
        try (stream) {
            for (Event event : stream) {
                last = event.kind();
                if (last == Kind.TEXT) deltas.add(event.text());
            }
            must(!stream.hasNext(), "a stream goes on being at its end");
        }
        equal(Kind.FINISH, last);
        return deltas;
    }

    static StreamException failure(Stream stream) {
        try (stream) {
            while (stream.hasNext()) stream.next();
        } catch (StreamException failure) {
            return failure;
        }
        throw new AssertionError("the stream did not fail");
    }

    static void untilText(Stream stream) {
        while (stream.next().kind() != Kind.TEXT) continue;
    }

    static void gone(String name) throws Exception {
        System.out.println("gone? " + name);
        equal("yes", answers.readLine());
    }

    static void equal(Object wanted, Object found) {
        must(wanted.equals(found), "wanted " + wanted + ", found " + found);
    }

    static void must(boolean holds, String what) {
        if (!holds) throw new AssertionError(what);
    }

    /** Collects the text, asking for so many events at a time. */
    static final class Subscriber implements Flow.Subscriber<Event> {
        final CompletableFuture<String> text = new CompletableFuture<>();
        final CompletableFuture<StreamException> failure = new CompletableFuture<>();
        final CountDownLatch first = new CountDownLatch(1);
        final long batch;
        final StringBuilder said = new StringBuilder();
        volatile Flow.Subscription subscription;

        Subscriber(long batch) {
            this.batch = batch;
        }

        @Override public void onSubscribe(Flow.Subscription subscription) {
            this.subscription = subscription;
            subscription.request(batch);
        }

        @Override public void onNext(Event event) {
            if (event.kind() == Kind.TEXT) {
                said.append(event.text());
                first.countDown();
            }
            subscription.request(batch);
        }

        @Override public void onError(Throwable thrown) {
            failure.complete((StreamException) thrown);
            text.completeExceptionally(thrown);
        }

        @Override public void onComplete() {
            text.complete(said.toString());
        }
    }
}
