// Beam search over HTTP: the replies that transformers recorded (golden/data/beams), by the fields of vLLM.
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { endOfTurn, expectedChats, startTestServer, type TestServer } from './serve-fixture.ts';

interface Recorded {
  prompt: number[];
  width: number;
  lengthPenalty: number;
  earlyStopping: boolean | 'never';
  maxTokens: number;
  stopTokens: number[];
  replies: { tokens: number[]; score: number }[];
}
const recorded: Recorded[] = JSON.parse(
  readFileSync(new URL('../golden/data/beams/tiny-llama.json', import.meta.url), 'utf8'),
);

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ model: { maxSequences: 4 } });
  await server.ready;
});
afterAll(() => server.close());

const ofTurns = recorded.filter(({ width, stopTokens }) => width <= 4 && stopTokens.join() === String(endOfTurn));
const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b) / values.length;

it.each(ofTurns)('completions: $width beams, at most $maxTokens tokens', async (search) => {
  const { prompt, width, maxTokens, replies, lengthPenalty, earlyStopping } = search;
  const body = { prompt, use_beam_search: true, n: width, max_tokens: maxTokens, logprobs: 1 };
  const options = { length_penalty: lengthPenalty, early_stopping: earlyStopping };
  const { choices } = await (await server.post('/v1/completions', { ...body, ...options })).json();
  expect(choices).toHaveLength(width);
  for (const [i, { tokens, score }] of replies.entries()) {
    expect(choices[i].finish_reason).toBe(tokens.at(-1) === endOfTurn ? 'stop' : 'length');
    const { token_logprobs: logProbs } = choices[i].logprobs;
    const ended = tokens.at(-1) === endOfTurn;
    expect(logProbs).toHaveLength(tokens.length - (ended ? 1 : 0));
    if (!ended) expect(mean(logProbs)).toBeCloseTo(score, 3); // length penalty 1
  }
});

it('chats: best_of beams, of which n come back', async () => {
  const { messages, greedy_text: greedy } = expectedChats[0]!;
  const body = { messages, use_beam_search: true, n: 1, best_of: 4, max_tokens: 24, temperature: 0.7 };
  const { choices, usage } = await (await server.post('/v1/chat/completions', body)).json();
  expect(choices).toHaveLength(1);
  expect(`${choices[0].message.content}<|im_end|>`).toBe(greedy); // its first beam is the greedy reply
  expect(usage.completion_tokens).toBe(recorded[2]!.replies[0]!.tokens.length);
});

it.each([
  [{ stream: true }, 'stream'],
  [{ response_format: { type: 'json_object' } }, 'response_format'],
  [{ grammar: 'root ::= "a"' }, 'grammar'],
  [{ json_schema: { type: 'string' } }, 'json_schema'],
  [{ logit_bias: { 5: 1 } }, 'logit_bias'],
  [{ ignore_eos: true }, 'ignore_eos'],
  [{ presence_penalty: 1 }, 'presence_penalty'],
  [{ repetition_penalty: 1.1 }, 'repetition_penalty'],
  [{ n: 3, best_of: 2 }, 'best_of'],
  [{ early_stopping: 'always' }, 'early_stopping'],
  [{ use_beam_search: false, length_penalty: 2 }, 'length_penalty'],
])('%j is refused by name', async (field, param) => {
  for (const [path, prompt] of [
    ['/v1/completions', { prompt: 'Hi' }],
    ['/v1/chat/completions', { messages: [{ role: 'user', content: 'Hi' }] }],
  ] as const) {
    const body = { ...prompt, use_beam_search: true, n: 2, max_tokens: 8, ...field };
    const response = await server.post(path, body);
    expect(response.status).toBe(400);
    expect((await response.json()).error).toMatchObject({ code: 'invalid_value', param });
  }
});

it('more beams than places, or than the cache holds, are refused with the numbers', async () => {
  const ask = async (body: object) =>
    (await server.post('/v1/completions', { prompt: 'Hi', use_beam_search: true, ...body })).json();
  expect((await ask({ n: 5 })).error).toMatchObject({
    code: 'beams-do-not-fit',
    message: expect.stringMatching(/5 beams.* 4/),
  });
  expect((await ask({ n: 4, max_tokens: 2000 })).error).toMatchObject({
    code: 'beams-do-not-fit',
    message: expect.stringMatching(/cache blocks/),
  });
});
