// A server that guesses tokens ahead gives the replies of one that does not, says how it guessed, and leaves it for who asks so.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { neverEnding, startTestServer, type TestServer, tinyLlama } from './serve-fixture.ts';

let plain: TestServer;
let guessing: TestServer;
beforeAll(async () => {
  plain = await startTestServer();
  guessing = await startTestServer({
    model: {
      speculation: { types: ['ngram-simple', 'draft-simple'], ngramSize: 2, draftModelPath: tinyLlama, maxDrafts: 4 },
    },
  });
  await Promise.all([plain.ready, guessing.ready]);
});
afterAll(() => Promise.all([plain.close(), guessing.close()]));

const body = { prompt: 'one two three, one two three, one two', max_tokens: 40, ...neverEnding };
const ask = async (server: TestServer, more: object) =>
  (await server.post('/v1/completions', { ...body, ...more })).json();

/** Value of a metric. */
async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${guessing.url}/metrics`)).text();
  return Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)![1]);
}

it.each([{ temperature: 0 }, { temperature: 0.8, seed: 5 }])(
  'replies to %o as without, and counts its guesses',
  async (how) => {
    const before = await metric('quern:draft_tokens_total');
    const [expected, reply] = [await ask(plain, how), await ask(guessing, how)];
    expect(reply.choices[0].text).toBe(expected.choices[0].text);
    expect(expected.usage.completion_tokens_details).toBeUndefined();
    const { accepted_prediction_tokens: accepted, rejected_prediction_tokens: rejected } =
      reply.usage.completion_tokens_details;
    expect(accepted + rejected).toBeGreaterThan(0);
    expect(await metric('quern:draft_tokens_total')).toBe(before + accepted + rejected);
    expect(await metric('quern:draft_tokens_accepted_total')).toBeGreaterThanOrEqual(accepted);
    expect(await metric('quern:speculation_speedup')).toBeGreaterThan(0);
  },
);

it('guesses nothing for a request that says so', async () => {
  const reply = await ask(guessing, { temperature: 0, 'speculative.n_max': 0 });
  expect(reply.usage.completion_tokens_details).toBeUndefined();
  const wrong = await guessing.post('/v1/completions', { ...body, 'speculative.n_max': -1 });
  expect(wrong.status).toBe(400);
  expect((await wrong.json()).error.param).toBe('speculative.n_max');
});
