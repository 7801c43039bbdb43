/**
 * Streams of pyagent for Node.js: `for await` gives events. docs/hosts/node.md explains it by an example.
 *
 * Nothing here waits, in no thread either. A client has one inbox for all of its streams; the library writes a byte to
 * a pipe when something has come, and Node watches the other end as it watches a socket.
 */
import { closeSync, constants } from 'node:fs';
import { Socket } from 'node:net';
import koffi from 'koffi';

const pipe = koffi.load(null).func('int pipe(int *)');
const control = koffi.load(null).func('int fcntl(int, int, ...)');
const mask = koffi.load(null).func('int pthread_sigmask(int, const uint8_t *, uint8_t *)');
const [SIG_SETMASK, before] = [process.platform === 'linux' ? 2 : 3, Buffer.alloc(128)];
mask(SIG_SETMASK, Buffer.alloc(128, 0xff), before); // the library's threads leave all signals to Node's
const library = koffi.load(process.env.PYAGENT_LIBRARY ?? 'libpyagent.so');
mask(SIG_SETMASK, before, null);
const statusName = library.func('const char *pyagent_status_name(int32_t)');
const clientOpen = library.func('int32_t pyagent_client_open(const uint8_t *, size_t, uint64_t *)');
const inboxOpen = library.func('int32_t pyagent_inbox_open(uint64_t, intptr_t, uint64_t *)');
const submit = library.func('int32_t pyagent_submit(uint64_t, uint64_t, const uint8_t *, size_t, uint64_t *)');
const poll = library.func('int32_t pyagent_poll(uint64_t, uint8_t *, size_t, int32_t, size_t *)');
const cancel = library.func('int32_t pyagent_cancel(uint64_t)');
const inspectHandle = library.func('int32_t pyagent_inspect(uint64_t, uint8_t *, size_t, size_t *)');
const close = library.func('int32_t pyagent_close(uint64_t)');
if (library.func('uint32_t pyagent_abi_version()')() !== 1) throw new Error('this is for version 1 of the interface');

const KINDS = {
  1: 'text', 2: 'reasoning', 3: 'refusal', 4: 'tool_args', 16: 'start', 17: 'tool_begin', 18: 'tool_end', 19: 'usage',
  20: 'logprobs', 21: 'annotation', 22: 'part', 23: 'detail', 24: 'retry', 25: 'raw', 26: 'notice', 27: 'item',
  32: 'vector', 64: 'finish', 65: 'result', 66: 'error',
};
const [HEADER, MANY, FIRST_JSON, TERMINAL, TOO_SMALL] = [16, 1, 16, 64, -4];
const WINDOW = 256 * 1024; // bytes that a stream delivers while nobody reads it; then its vendor is slowed down
const [number, used] = [new BigUint64Array(1), new BigUint64Array(1)]; // where functions put their results
const forgotten = new FinalizationRegistry((free) => free());
let buffer = Buffer.allocUnsafe(64 * 1024);

/** Why a stream failed: kind is one of docs/errors.md, status that of HTTP or null. */
export class PyAgentError extends Error {
  constructor(details) {
    super(details.message);
    Object.assign(this, { name: 'PyAgentError', kind: details.kind, status: details.status_code ?? null, details });
  }
}

const check = (status) => { if (status < 0) throw new Error(`pyagent: ${statusName(status)}`); };

/** Calls a function that fills the buffer, which is made larger if it has to be. Returns what was written. */
function fill(call) {
  let status;
  while ((status = call(buffer, buffer.length)) === TOO_SMALL) buffer = Buffer.allocUnsafe(Number(used[0]) + 4096);
  check(status);
  return buffer.subarray(0, Number(used[0]));
}

/** What the library says about itself, among it how many handles are open. */
export const inspect = () => JSON.parse(fill((place, size) => inspectHandle(0, place, size, used)));

/** What came for one stream and was not read. */
class Mailbox {
  events = [];
  bytes = 0; // since the window was opened
  #tools = new Map();

  take(number, flags, index, payload) {
    this.bytes += HEADER + payload.length;
    this.ended = number >= TERMINAL;
    const kind = KINDS[number]; // none if the library is newer than this binding
    if (kind === 'vector') this.#add(kind, index, new Float32Array(Uint8Array.from(payload).buffer));
    else if (number >= FIRST_JSON) this.#add(kind, index, JSON.parse(payload));
    else if (flags & MANY) for (const delta of payload.toString().split('\0')) this.#add(kind, index, delta);
    else this.#add(kind, index, payload.toString());
  }

  #add(kind, index, data) {
    if (kind === 'tool_begin') this.#tools.set(index, { ...data, arguments: '' });
    if (kind === 'tool_args') this.#tools.get(index).arguments += data;
    if (kind === 'tool_end') data = this.#tools.get(index);
    if (kind === 'error') this.error = new PyAgentError(data);
    else if (kind) this.events.push({ kind, index, data });
  }
}

/** Where frames of a client's streams arrive. It does not know the client, which is collected when nobody does. */
class Inbox {
  mailboxes = new Map();
  #waiting = 0;

  constructor(client) {
    const ends = new Int32Array(2);
    if (pipe(ends) !== 0) throw new Error(`pyagent: no pipe, errno ${koffi.errno()}`);
    for (const end of ends) control(end, 2 /* F_SETFD */, 'int', 1 /* FD_CLOEXEC */);
    control(ends[1], 4 /* F_SETFL */, 'int', constants.O_NONBLOCK);
    check(inboxOpen(client, ends[1], number));
    Object.assign(this, { client, number: number[0], writer: ends[1] });
    this.reader = new Socket({ fd: ends[0], readable: true, writable: false });
    this.reader.on('data', () => this.#deliver()).unref();
  }

  /** Waits for something to come. Only this keeps the process alive. */
  async arrival(mailbox) {
    if (this.#waiting++ === 0) this.reader.ref();
    await new Promise((resolve) => (mailbox.wake = resolve));
    if (--this.#waiting === 0) this.reader.unref();
  }

  #deliver() {
    const data = fill((place, size) => poll(this.number, place, size, 0, used));
    for (let at = 0, end; at < data.length; at = end) {
      end = at + HEADER + data.readUInt32LE(at);
      const mailbox = this.mailboxes.get(data.readBigUInt64LE(at + 8)); // none is left of a closed stream
      mailbox?.take(data[at + 4], data[at + 5], data.readUInt16LE(at + 6), data.subarray(at + HEADER, end));
      mailbox?.wake?.();
    }
  }

  drop(call) {
    close(call);
    const mailbox = this.mailboxes.get(call) ?? { ended: true };
    this.mailboxes.delete(call);
    if (!mailbox.ended) mailbox.error = new PyAgentError({ kind: 'cancelled', message: 'the stream was closed' });
    mailbox.wake?.();
  }

  close() {
    if (this.reader.destroyed) return;
    for (const call of this.mailboxes.keys()) this.drop(call);
    close(this.number); // after this nothing is written to the pipe
    close(this.client);
    closeSync(this.writer);
    this.reader.destroy();
  }
}

/** A vendor, a key and settings, as docs/abi.md#configuration has them. Keep it for many streams. */
export class Client {
  #inbox;

  constructor(config = {}) {
    const text = Buffer.from(JSON.stringify(config));
    check(clientOpen(text, text.length, number));
    const inbox = (this.#inbox = new Inbox(number[0]));
    forgotten.register(this, () => inbox.close());
  }

  /** Starts a request of docs/abi.md#request, op "stream" unless it names one. An AbortSignal cancels it. */
  stream(request, { signal } = {}) {
    return new Stream(this, this.#inbox, request, signal);
  }

  /** Closes the client and all of its streams. */
  close() {
    this.#inbox.close();
  }
}

/** One request from its start to its end, to be iterated once. Leaving the loop closes it. */
export class Stream {
  #parts;

  constructor(client, inbox, request, signal) {
    signal?.throwIfAborted();
    const text = Buffer.from(JSON.stringify({ op: 'stream', window: WINDOW, ...request }));
    check(submit(inbox.client, inbox.number, text, text.length, number));
    const [call, mailbox, abort] = [number[0], new Mailbox(), () => cancel(call)];
    inbox.mailboxes.set(call, mailbox);
    signal?.addEventListener('abort', abort);
    forgotten.register(this, () => inbox.drop(call));
    this.#parts = { client, inbox, call, mailbox, signal, abort }; // the client, so that it is not collected before
  }

  async *[Symbol.asyncIterator]() {
    const { inbox, call, mailbox, signal } = this.#parts;
    try {
      for (;;) {
        while (mailbox.events.length > 0) yield mailbox.events.shift();
        if (mailbox.error) throw signal?.aborted ? signal.reason : mailbox.error;
        if (mailbox.ended) return;
        if (mailbox.bytes >= WINDOW / 2) poll(call, buffer, 0, 0, used); // opens the window again
        if (mailbox.bytes >= WINDOW / 2) mailbox.bytes = 0;
        await inbox.arrival(mailbox);
      }
    } finally {
      this.close();
    }
  }

  /** Ends the stream: reading it then fails with the kind "cancelled". */
  cancel() {
    cancel(this.#parts.call);
  }

  /** Closes the stream and its connection at once. */
  close() {
    const { inbox, call, signal, abort } = this.#parts;
    signal?.removeEventListener('abort', abort);
    inbox.drop(call);
  }
}
