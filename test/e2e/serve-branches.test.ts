// Several replies to one prompt: `n` and `best_of`.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readEvents, startTestServer, type TestServer } from './serve-fixture.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ model: { maxSequences: 4 } });
  await server.ready;
});
afterAll(() => server.close());

const prompt = 'In the beginning';
const complete = async (body: object) =>
  (await server.post('/v1/completions', { prompt, max_tokens: 12, temperature: 0.9, ...body })).json();

it('n replies are those of n requests with the seeds that follow', async () => {
  const { choices, usage } = await complete({ n: 3, seed: 5 });
  expect(choices.map(({ index }: { index: number }) => index)).toEqual([0, 1, 2]);
  const alone = await Promise.all([5, 6, 7].map((seed) => complete({ seed })));
  expect(choices.map(({ text }: { text: string }) => text)).toEqual(alone.map((reply) => reply.choices[0].text));
  expect(usage.prompt_tokens).toBe(alone[0].usage.prompt_tokens);
  expect(usage.completion_tokens).toBe(alone.reduce((sum, reply) => sum + reply.usage.completion_tokens, 0));
});

it('best_of gives the most likely of its candidates', async () => {
  const { choices: all } = await complete({ n: 4, seed: 5, logprobs: 0 });
  const mean = ({ logprobs }: { logprobs: { token_logprobs: number[] } }): number =>
    logprobs.token_logprobs.reduce((a, b) => a + b, 0) / logprobs.token_logprobs.length;
  const order = [...all].sort((a, b) => mean(b) - mean(a));
  const { choices, usage } = await complete({ n: 2, best_of: 4, seed: 5 });
  expect(choices.map(({ text }: { text: string }) => text)).toEqual(order.slice(0, 2).map(({ text }) => text));
  expect(choices[0].logprobs).toBeNull();
  expect(usage.completion_tokens).toBe(4 * 12);
});

it.each([
  [{ best_of: 2, stream: true }, /streamed/],
  [{ n: 3, best_of: 2 }, /at least n/],
])('%o is refused', async (body, message) => {
  const response = await server.post('/v1/completions', { prompt, ...body });
  expect(response.status).toBe(400);
  expect((await response.json()).error).toMatchObject({ param: 'best_of', message: expect.stringMatching(message) });
});

it('streams each chat reply under its index', async () => {
  const body = { messages: [{ role: 'user', content: 'Hi' }], n: 3, seed: 5, max_tokens: 8 };
  const { choices } = await (await server.post('/v1/chat/completions', body)).json();
  const events = await readEvents(
    await server.post('/v1/chat/completions', { ...body, stream: true, stream_options: { include_usage: true } }),
  );
  const texts = ['', '', ''];
  for (const {
    choices: [choice],
  } of events.slice(0, -1))
    texts[choice.index] += choice.delta.content ?? '';
  expect(texts).toEqual(choices.map(({ message }: { message: { content: string } }) => message.content));
  expect(events.at(-1).usage.completion_tokens).toBeGreaterThan(3);
});
