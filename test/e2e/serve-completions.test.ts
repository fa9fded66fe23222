// Text completions against a real server.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectedChats, readEvents, startTestServer, type TestServer } from './serve-fixture.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ model: { alias: 'tiny' } });
  await server.ready;
});
afterAll(() => server.close());

const path = '/v1/completions';
const [chat] = expectedChats;
const complete = async (body: object) => (await server.post(path, { temperature: 0, ...body })).json();
/** The rendered conversation without its BOS, which the endpoint adds itself. */
const rendered = chat!.rendered.replace(/^<\|begin_of_text\|>/, '');

describe('POST /v1/completions', () => {
  it('continues text and token ids alike, as transformers does', async () => {
    const expected = chat!.greedy_text.replace('<|im_end|>', '');
    for (const prompt of [rendered, [rendered], chat!.ids, [chat!.ids]]) {
      const reply = await complete({ prompt, max_tokens: 64 });
      expect(reply).toEqual({
        id: expect.stringMatching(/^cmpl-/),
        object: 'text_completion',
        created: expect.any(Number),
        model: 'tiny',
        choices: [{ index: 0, text: expected, logprobs: null, finish_reason: 'stop' }],
        usage: {
          prompt_tokens: chat!.ids.length,
          completion_tokens: chat!.greedy_ids.length,
          total_tokens: chat!.ids.length + chat!.greedy_ids.length,
          prompt_tokens_details: { cached_tokens: expect.any(Number) },
        },
        system_fingerprint: expect.stringMatching(/^quern-/),
        timings: expect.objectContaining({ predicted_n: chat!.greedy_ids.length }),
      });
    }
  });

  it('streams the same text', async () => {
    const body = { prompt: 'In the beginning', max_tokens: 40, seed: 5, temperature: 0.8 };
    const whole = await complete(body);
    const events = await readEvents(
      await server.post(path, { ...body, stream: true, stream_options: { include_usage: true } }),
    );
    expect(events.pop()).toMatchObject({
      choices: [],
      usage: { ...whole.usage, prompt_tokens_details: { cached_tokens: 3 } }, // the same prompt, all but its last token
    });
    expect(events.map((event) => event.choices[0].text).join('')).toBe(whole.choices[0].text);
    expect(events.at(-1).choices[0].finish_reason).toBe(whole.choices[0].finish_reason);
  });

  it('has the stages of llama-server', async () => {
    const body = { prompt: 'In the beginning', max_tokens: 24, seed: 3, temperature: 1.5, top_p: 1 };
    const text = async (fields: object) => (await complete({ ...body, ...fields })).choices[0].text;
    const plain = await text({});
    const best = await text({ temperature: 0 });
    // Whatever leaves one candidate gives the greedy text.
    for (const one of [{ top_k: 1 }, { typical_p: 1, top_p: 1e-6 }, { min_p: 1 }, { top_n_sigma: 1e-3 }])
      expect(await text(one), JSON.stringify(one)).toBe(best);
    expect(await text({ top_k: 1, samplers: [] })).toBe(await text({ samplers: [] }));
    expect(await text({ top_k: 1, samplers: 'k' })).toBe(best);
    for (const other of [{ repeat_penalty: 1.9 }, { dry_multiplier: 5, dry_allowed_length: 1 }, { mirostat: 2 }])
      expect(await text({ ...other, top_k: 20 }), JSON.stringify(other)).not.toBe(await text({ top_k: 20 }));
    expect(await text({ dynatemp_range: 1.4 })).not.toBe(plain);
  });

  it('names a sampler that it does not have', async () => {
    const wrong = async (fields: object) => (await complete({ prompt: 'a', ...fields })).error.message;
    expect(await wrong({ samplers: ['top_q'] })).toMatch(/samplers/);
    expect(await wrong({ samplers: 'kq' })).toMatch(/letter "q".*k \(top_k\)/);
    expect(await wrong({ samplers: 'kk' })).toMatch(/top_k twice/);
    expect(await wrong({ logit_bias: [[1e6, 1]] })).toMatch(/token 1000000/);
  });

  it('goes on behind the end of a turn with ignore_eos', async () => {
    const reply = await complete({ prompt: chat!.ids, max_tokens: chat!.greedy_ids.length + 5, ignore_eos: true });
    expect(reply.usage.completion_tokens).toBe(chat!.greedy_ids.length + 5);
  });

  it('writes 16 tokens unless told otherwise', async () => {
    const reply = await complete({ prompt: 'In the beginning' });
    expect(reply.usage.completion_tokens).toBe(16);
    expect(reply.choices[0].finish_reason).toBe('length');
  });

  it('gives log probabilities whose offsets point into the text', async () => {
    const reply = await complete({ prompt: 'In the beginning', logprobs: 2, max_tokens: 8 });
    const [{ text, logprobs }] = reply.choices;
    expect(logprobs.tokens).toHaveLength(8);
    for (const [i, token] of logprobs.tokens.entries()) {
      expect(text.slice(logprobs.text_offset[i], logprobs.text_offset[i] + token.length)).toBe(token);
      expect(Object.keys(logprobs.top_logprobs[i])).toHaveLength(2);
      expect(logprobs.top_logprobs[i][token]).toBe(logprobs.token_logprobs[i]);
    }
  });

  it('offsets stay in the text behind characters of several tokens, and special ones that are not shown', async () => {
    // A vocabulary without Chinese writes each character in three tokens; token 2 is <|im_start|>.
    const body = { prompt: 'é 日本 x', guided_regex: '日🙂 b', logprobs: 0, max_tokens: 12, echo: true };
    const [{ text, logprobs }] = (await complete(body)).choices;
    expect(text).toBe('é 日本 x日🙂 b');
    const at = (token: string) => logprobs.text_offset[logprobs.tokens.lastIndexOf(token)];
    expect([at(' x'), at(' b')]).toEqual([text.indexOf(' x'), text.indexOf(' b')]);
    expect(logprobs.text_offset.at(-1)).toBeLessThan(text.length);
    const parts = await readEvents(await server.post(path, { ...body, temperature: 0, stream: true }));
    expect(parts.flatMap(({ choices }) => choices[0].logprobs?.text_offset ?? [])).toEqual(logprobs.text_offset);
    const hidden = { prompt: 'x', logprobs: 0, max_tokens: 3, allowed_token_ids: [2] };
    expect((await complete(hidden)).choices[0]).toMatchObject({ text: '', logprobs: { text_offset: [0, 0, 0] } });
  });

  it('answers a list prompt by prompt, each as if it were alone', async () => {
    const prompts = ['In the beginning', 'The capital of', 'One, two'];
    const body = { max_tokens: 6, temperature: 0.7, seed: 4, n: 2 };
    const list = await complete({ ...body, prompt: prompts });
    expect(list.choices.map(({ index }: { index: number }) => index)).toEqual([0, 1, 2, 3, 4, 5]);
    const alone = [];
    for (const prompt of prompts) alone.push(await complete({ ...body, prompt }));
    const texts = (reply: { choices: { text: string }[] }) => reply.choices.map(({ text }) => text);
    expect(texts(list)).toEqual(alone.flatMap(texts));
    expect(list.usage.prompt_tokens).toBe(alone.reduce((sum, { usage }) => sum + usage.prompt_tokens, 0));
    expect(list.usage.completion_tokens).toBe(alone.reduce((sum, { usage }) => sum + usage.completion_tokens, 0));
    const events = await readEvents(await server.post(path, { ...body, prompt: prompts, stream: true }));
    const streamed = Array.from({ length: 6 }, () => '');
    for (const { choices } of events) streamed[choices[0].index] += choices[0].text;
    expect(streamed).toEqual(texts(list));
    const ids = await complete({ prompt: [chat!.ids, chat!.ids.slice(0, 9)], max_tokens: 2 });
    expect(ids.choices).toHaveLength(2);
  });

  it('echo puts the prompt in front, streamed as whole; 0 tokens compute it alone', async () => {
    const body = { prompt: 'In the beginning', max_tokens: 5 };
    const [{ text }] = (await complete(body)).choices;
    expect((await complete({ ...body, echo: true })).choices[0].text).toBe(body.prompt + text);
    const response = await server.post(path, { ...body, temperature: 0, echo: true, stream: true });
    const events = await readEvents(response);
    expect(events.map(({ choices }) => choices[0].text).join('')).toBe(body.prompt + text);
    const none = await complete({ ...body, max_tokens: 0, echo: true });
    expect(none.choices[0]).toMatchObject({ text: body.prompt, finish_reason: 'length' });
    expect(none.usage.completion_tokens).toBe(0);
  });

  it('echo with logprobs: a reply that becomes a prompt has the log probabilities that it was told with', async () => {
    const told = (await complete({ prompt: chat!.ids, max_tokens: 5, logprobs: 2, return_token_ids: true })).choices[0];
    const prompt = [...chat!.ids, ...told.token_ids];
    const body = { prompt, max_tokens: 1, logprobs: 2, echo: true };
    const [echoed] = (await complete(body)).choices;
    const { logprobs, text } = echoed;
    expect(logprobs.tokens).toHaveLength(prompt.length + 1);
    expect([logprobs.token_logprobs[0], logprobs.top_logprobs[0]]).toEqual([null, null]);
    const close = (value: number | null) => expect.closeTo(value!, 2);
    const reply = logprobs.token_logprobs.slice(chat!.ids.length, -1);
    expect(reply).toEqual(told.logprobs.token_logprobs.map(close));
    expect(logprobs.tokens.slice(chat!.ids.length, -1)).toEqual(told.logprobs.tokens);
    for (const [i, token] of logprobs.tokens.entries())
      if (i > 0) expect(text.slice(logprobs.text_offset[i], logprobs.text_offset[i] + token.length)).toBe(token);
    const [first] = await readEvents(await server.post(path, { ...body, stream: true }));
    expect(first.choices[0].logprobs.tokens).toEqual(logprobs.tokens.slice(0, -1));
    const alone = (await complete({ ...body, max_tokens: 0 })).choices[0].logprobs;
    expect(alone.token_logprobs).toEqual(logprobs.token_logprobs.slice(0, -1));
  });

  it.each([
    ['a prompt that is no text', { prompt: ['a', {}] }],
    ['an empty list', { prompt: [] }],
    ['a token outside the vocabulary', { prompt: [1, 4096] }],
    ['no prompt', {}],
    ['a suffix for a model that has no tokens for it', { prompt: 'a', suffix: 'b' }],
    ['several best replies, streamed', { prompt: 'a', best_of: 2, stream: true }],
  ])('refuses %s', async (_, body) => {
    const response = await server.post(path, body);
    expect(response.status).toBe(400);
    expect((await response.json()).error.message).toMatch(/./);
  });
});

describe('GET /v1/models', () => {
  it('lists the model with its context', async () => {
    const { data } = await (await fetch(`${server.url}/v1/models`)).json();
    expect(data).toHaveLength(1);
    expect(data[0]).toMatchObject({
      id: 'tiny',
      object: 'model',
      max_model_len: 2048,
      meta: { n_ctx: 2048, n_vocab: 4096 },
    });
    expect(await (await fetch(`${server.url}/v1/models/tiny`)).json()).toEqual(data[0]);
    expect((await fetch(`${server.url}/v1/models/other`)).status).toBe(404);
  });
});
