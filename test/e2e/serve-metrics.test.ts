// GET /metrics: what was really done, in the names of llama-server and vLLM, as Prometheus reads it.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { neverEnding, startTestServer, type TestServer } from './serve-fixture.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ model: { alias: 'a "model"', maxSequences: 1 } });
  await server.ready;
});
afterAll(() => server.close());

const line = /^([a-z_]+:[a-z0-9_]+)(\{[^}]*\})? (\S+)$/;

/** Every line but comments, by its name and labels. */
async function figures(): Promise<Map<string, number>> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  const lines = text.split('\n').filter((one) => one && !one.startsWith('#'));
  return new Map(lines.map((one) => [line.exec(one)![1]! + (line.exec(one)![2] ?? ''), Number(line.exec(one)![3])]));
}

it('counts what was done, in both names', async () => {
  const before = Date.now();
  const bodies = [{ max_tokens: 7 }, { max_tokens: 9, prompt: 'a b c' }];
  let prompts = 0;
  let cached = 0;
  for (const body of bodies) {
    const { usage } = await (await server.post('/v1/completions', { prompt: 'x y', ...neverEnding, ...body })).json();
    prompts += usage.prompt_tokens;
    cached += usage.prompt_tokens_details.cached_tokens;
  }
  const seconds = (Date.now() - before) / 1000;
  const seen = await figures();
  const model = '{model_name="a \\"model\\""';
  const of = (name: string, more = '') => seen.get(`vllm:${name}${model}${more}}`);
  expect(seen.get('llamacpp:prompt_tokens_total')).toBe(prompts - cached);
  expect([of('prompt_tokens_total'), of('generation_tokens_total')]).toEqual([prompts, 16]);
  expect(seen.get('llamacpp:tokens_predicted_total')).toBe(16);
  expect(of('request_success_total', ',finished_reason="length"')).toBe(2);
  expect(of('num_requests_running')).toBe(0);
  expect(seen.get('llamacpp:n_tokens_max')).toBe(prompts - (await tokensOf('x y')) + 9);
  const spent = seen.get('llamacpp:prompt_seconds_total')! + seen.get('llamacpp:tokens_predicted_seconds_total')!;
  expect(spent).toBeGreaterThan(0);
  expect(spent).toBeLessThan(seconds);
  for (const name of ['time_to_first_token', 'e2e_request_latency', 'request_queue_time', 'request_decode_time']) {
    expect(of(`${name}_seconds_count`), name).toBe(2);
    expect(of(`${name}_seconds_bucket`, ',le="+Inf"'), name).toBe(2);
    expect(of(`${name}_seconds_sum`), name).toBeLessThan(seconds);
  }
  // Between 7 tokens there are 6 gaps, between 9 there are 8.
  expect(of('inter_token_latency_seconds_count')).toBe(14);
  expect(of('inter_token_latency_seconds_sum')).toBeLessThan(seconds);
});

async function tokensOf(content: string): Promise<number> {
  const { tokens } = await (await server.post('/tokenize', { content, add_special: true })).json();
  return tokens.length;
}

it('tells of a request that was given up, whose tokens and time count as far as they went', async () => {
  const ended = (seen: Map<string, number>, reason: string) =>
    seen.get(`vllm:request_success_total{model_name="a \\"model\\"",finished_reason="${reason}"}`) ?? 0;
  let before = await figures();
  let after = before;
  // Should a reply end before it is given up, another one is.
  while (ended(after, 'abort') === 0) {
    const stop = new AbortController();
    before = after;
    const body = JSON.stringify({ prompt: 'x', stream: true, ...neverEnding, max_tokens: 2000 });
    const response = await server.post('/v1/completions', body, { signal: stop.signal });
    await response.body!.getReader().read();
    stop.abort();
    const count = (seen: Map<string, number>) => ended(seen, 'abort') + ended(seen, 'length');
    await expect.poll(async () => count((after = await figures()))).toBe(count(before) + 1);
  }
  const grew = (name: string) => after.get(name)! - before.get(name)!;
  expect(grew('llamacpp:tokens_predicted_total')).toBeGreaterThan(0);
  expect(grew('llamacpp:prompt_seconds_total')).toBeGreaterThan(0);
});

it('counts no prompt of a request whose time was over before its turn', async () => {
  const read = async () => (await figures()).get('llamacpp:prompt_tokens_total');
  // The only place is taken as long as the first reply goes on: should it end too early, both begin again.
  for (;;) {
    const body = { prompt: 'x', stream: true, ...neverEnding, max_tokens: 2000 };
    const first = (await server.post('/v1/completions', body)).body!.getReader();
    await first.read();
    const known = await read();
    const { status } = await server.post('/v1/completions', { prompt: 'never read', deadline_ms: 1, max_tokens: 1 });
    const isHeld = (await figures()).get('vllm:num_requests_running{model_name="a \\"model\\""}') === 1;
    await first.cancel();
    if (isHeld) {
      expect(status).toBe(504);
      return expect(await read()).toBe(known);
    }
  }
});
