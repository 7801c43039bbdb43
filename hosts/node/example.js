/** The program of docs/hosts/node.md: an answer of text, one with a tool call, and a refusal. */
import { Client, PyAgentError } from './pyagent.js';

async function printAnswer(client, request) {
  try {
    for await (const { kind, data } of client.stream(request)) {
      if (kind === 'text') process.stdout.write(data);
      if (kind === 'tool_end') process.stdout.write(`${data.name}(${data.arguments})`);
      if (kind === 'finish') console.log(` [${data.finish_reason}]`);
    }
  } catch (error) {
    if (!(error instanceof PyAgentError)) throw error;
    console.log(`${error.kind}, HTTP ${error.status}: ${error.message}`);
  }
}

const client = new Client({ provider: 'echo' });
const request = { model: 'echo', messages: [{ role: 'user', content: 'Hello, Node' }] };

await printAnswer(client, request);

// What the model inside the library answers instead, if its request says so.
const tool = { name: 'get_weather', arguments: { city: 'Oslo' } };
await printAnswer(client, { ...request, extra_body: { fake: { tools: [tool] } } });
const refusal = { status: 401, body: { error: { message: 'No such key.' } } };
await printAnswer(client, { ...request, extra_body: { fake: refusal } });

client.close();
