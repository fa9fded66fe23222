// A real server on a free port of the loopback, serving the tiny trained model straight from its checkpoint folder.
import { readFileSync } from 'node:fs';
import {
  type GenerationRecord,
  type LoadServedModelOptions,
  loadServedModel,
  type SingleServer,
  type SingleServerOptions,
  startServer,
} from '@quern/serve-command/server';

export const tinyLlama = new URL('../models/tiny-llama', import.meta.url).pathname;

/** What transformers renders and generates greedily (test/models/tiny-llama/expected/README.md). */
export interface ExpectedChat {
  messages: { role: string; content: string }[];
  tools: unknown[] | null;
  rendered: string;
  ids: number[];
  greedy_ids: number[];
  greedy_text: string;
}
export const expectedChats: ExpectedChat[] = JSON.parse(
  readFileSync(`${tinyLlama}/expected/chat.json`, 'utf8'),
).chat_template;

/** `<|im_end|>` */
export const endOfTurn = 3;
/** With both ends forbidden (`<|end_of_text|>`, `<|im_end|>`) the tiny model writes until it is stopped. */
export const neverEnding = { logit_bias: { 1: -100, [endOfTurn]: -100 } };

export interface TestServer extends SingleServer {
  /** How each generation ended, in order. */
  records: GenerationRecord[];
  post(path: string, body: unknown, init?: RequestInit): Promise<Response>;
}

export async function startTestServer(
  options: Partial<SingleServerOptions> & { model?: LoadServedModelOptions } = {},
): Promise<TestServer> {
  const { model = {}, ...serverOptions } = options;
  const records: GenerationRecord[] = [];
  const server = await startServer({
    hosts: ['127.0.0.1'],
    port: 0,
    maxRequests: 16,
    load: () => loadServedModel(tinyLlama, { threads: 1, ...model }),
    onGeneration: (record) => records.push(record),
    ...serverOptions,
  });
  return {
    ...server,
    records,
    post: (path, body, init) =>
      fetch(server.url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: typeof body === 'string' ? body : JSON.stringify(body),
        ...init,
      }),
  };
}

/** The JSON of every `data:` event; the last must be `[DONE]`, which is left out. */
export async function readEvents(response: Response) {
  const text = await response.text();
  const events = text.split('\n\n').filter(Boolean);
  if (events.pop() !== 'data: [DONE]') throw new Error(`the stream does not end with [DONE]: ${text.slice(-200)}`);
  return events.map((event) => JSON.parse(event.replace(/^data: /, '')));
}
