/** The types of pyagent.js. */

/** A configuration, a request and what a frame carries are JSON, as docs/abi.md has it. */
export type Json = { [field: string]: any };

export interface ToolCall extends Json {
  id: string;
  name: string;
  /** The text of a JSON object, as the model wrote it. */
  arguments: string;
}

/** index is that of the choice; for tool events of the tool call. */
export type Event = { index: number } & (
  | { kind: 'text' | 'reasoning' | 'refusal' | 'tool_args'; data: string }
  | { kind: 'tool_begin' | 'tool_end'; data: ToolCall }
  | { kind: 'vector'; data: Float32Array }
  | {
      kind: 'start' | 'usage' | 'logprobs' | 'annotation' | 'part' | 'detail' | 'retry' | 'raw' | 'notice' | 'item';
      data: any;
    }
  | { kind: 'finish' | 'result'; data: Json }
);

export class PyAgentError extends Error {
  readonly kind: string;
  /** Of HTTP; null if there was none. */
  readonly status: number | null;
  /** Everything that is known: docs/abi.md#error. */
  readonly details: Json;
}

export class Client {
  constructor(config?: Json);
  stream(request: Json, options?: { signal?: AbortSignal }): Stream;
  close(): void;
}

export class Stream implements AsyncIterable<Event> {
  private constructor();
  [Symbol.asyncIterator](): AsyncGenerator<Event, void, undefined>;
  cancel(): void;
  close(): void;
}

export function inspect(): Json;
