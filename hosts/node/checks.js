/** The six checks of docs/hosts/index.md, in JavaScript, in one event loop whose timer must go on ticking. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, PyAgentError, inspect } from './pyagent.js';

const MANY = 100;
const STALLS = { text: 'a b c d', after: 2, end: 'stall' };
const model = new Client({ provider: 'compatible', base_url: process.env.PYAGENT_SERVER });
const answers = createInterface({ input: process.stdin });

const ask = (content, fake) => ({
  model: 'm', max_retries: 0, messages: [{ role: 'user', content }], extra_body: { fake },
});

async function read(stream) {
  const events = [];
  for await (const event of stream) events.push(event);
  assert.equal(events.at(-1).kind, 'finish');
  return events.filter(({ kind }) => kind === 'text').map(({ data }) => data);
}

async function isGone(name) {
  console.log(`gone? ${name}`);
  const [line] = await once(answers, 'line');
  assert.equal(line, 'yes', 'the server saw the stream end');
}

async function untilText(stream) {
  for await (const { kind } of stream) if (kind === 'text') return;
}

const checks = {
  async stream() {
    const echo = new Client({ provider: 'echo' });
    const deltas = await read(echo.stream(ask('one two three ünï 🌍', {})));
    assert(deltas.length > 1);
    assert.equal(deltas.join(''), 'one two three ünï 🌍');
    assert.deepEqual(await read(model.stream(ask('nul', { pieces: ['a\0b', 'c'] }))), ['a\0b', 'c']);

    // A slow reader gets everything too, and more than a window of it does not wait here.
    let size = 0;
    for await (const { kind, data } of model.stream(ask('large', { pieces: ['x'.repeat(1000)], repeat: 2000 }))) {
      if (kind === 'text' && (size += data.length) % 500000 === 0) await sleep(20);
    }
    assert.equal(size, 2000000);

    // Frames that no delta can be cut from, and are larger than the buffer, come whole; so do vectors.
    const raw = [];
    const large = { ...ask('raw', { pieces: ['x'.repeat(200000)] }), include_raw: true };
    for await (const { kind, data } of model.stream(large)) if (kind === 'raw') raw.push(JSON.stringify(data).length);
    assert(Math.max(...raw) > 200000);
    const vectors = [];
    const embed = { op: 'embed', model: 'm', input: ['a', 'b'], dimensions: 3 };
    for await (const { kind, data } of echo.stream(embed)) if (kind === 'vector') vectors.push(data);
    assert.deepEqual(vectors.map((vector) => [vector.constructor, vector.length]), Array(2).fill([Float32Array, 3]));
    assert(vectors[0].some((number) => number !== 0));
    echo.close();
  },

  async tools() {
    const parameters = { type: 'object', properties: { city: { type: 'string' } } };
    const tools = [{ type: 'function', function: { name: 'get_weather', parameters } }];
    const tool = { name: 'get_weather', arguments: { city: 'Oslo' } };
    const request = { ...ask('tools', { tools: [tool], tool_piece: 3 }), tools };
    let call;
    for await (const { kind, data } of model.stream(request)) if (kind === 'tool_end') call = data;
    assert.deepEqual([call.id, call.name, JSON.parse(call.arguments)], ['call_1', 'get_weather', { city: 'Oslo' }]);

    const said = { id: call.id, type: 'function', function: { name: call.name, arguments: call.arguments } };
    const messages = [
      ...request.messages,
      { role: 'assistant', tool_calls: [said] },
      { role: 'tool', tool_call_id: call.id, content: '7 degrees' },
    ];
    const answer = { ...request, messages, extra_body: { fake: { text: 'It is 7 degrees.' } } };
    assert.equal((await read(model.stream(answer))).join(''), 'It is 7 degrees.');
  },

  async error() {
    const limited = { status: 429, body: { error: { message: 'Slow down.' } } };
    await assert.rejects(read(model.stream(ask('error', limited))), (error) => {
      assert(error instanceof PyAgentError);
      assert.deepEqual([error.kind, error.status], ['rate_limit', 429]);
      return error.message.includes('Slow down.') && error.details.is_retryable;
    });
    await assert.rejects(read(model.stream({ model: 'm' })), { kind: 'configuration', status: null, message: /messages/ });
    const closed = new Client();
    closed.close();
    assert.throws(() => closed.stream({ model: 'm' }), /closed/);
  },

  async cancel() {
    const stream = model.stream(ask('cancel', STALLS));
    await assert.rejects(async () => {
      for await (const { kind } of stream) if (kind === 'text') setTimeout(() => stream.cancel());
    }, { kind: 'cancelled' });
    await isGone('cancel');

    const reason = new Error('enough');
    const abort = new AbortController();
    await assert.rejects(async () => {
      const aborted = model.stream(ask('aborted', STALLS), { signal: abort.signal });
      for await (const { kind } of aborted) if (kind === 'text') setTimeout(() => abort.abort(reason));
    }, reason);
    assert.throws(() => model.stream(ask('never', {}), { signal: abort.signal }), reason);

    const closed = model.stream(ask('closed', STALLS));
    setTimeout(() => closed.close(), 50);
    await assert.rejects(read(closed), { kind: 'cancelled', message: /closed/ });
  },

  async many() {
    let ticks = 0;
    const timer = setInterval(() => ticks++, 10);
    const names = Array.from({ length: MANY }, (_, i) => `many ${i}`);
    const texts = await Promise.all(names.map(async (name) => (await read(model.stream(ask(name, { header_delay: 1 })))).join('')));
    clearInterval(timer);
    assert.deepEqual(texts, names);
    assert(ticks >= 5, `in the second that the server waited, the timer went on ${ticks} times, not 100`);
  },

  async handles() {
    await untilText(model.stream(ask('left', STALLS)));
    await isGone('left');

    const forget = () => { model.stream(ask('forgotten', STALLS)); new Client(); };
    forget();
    for (let i = 0; i < 500 && inspect().handles.clients > 1; i++) {
      globalThis.gc(); // a stream and a client that nobody closed, and nobody has
      await sleep(10);
    }
    assert.deepEqual([inspect().handles.clients, inspect().handles.calls], [1, 0]);

    model.close();
    model.close();
    for (let i = 0; i < 500 && inspect().handles.working > 0; i++) await sleep(10);
    assert.deepEqual(inspect().handles, { clients: 0, inboxes: 0, calls: 0, working: 0 });
  },
};

for (const [name, check] of Object.entries(checks)) {
  for (let times = name === 'many' ? process.env.PYAGENT_TIMES : 1; times > 0; times--) {
    await check();
    console.log(`ok ${name}`);
  }
}
answers.close();
