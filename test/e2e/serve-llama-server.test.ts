// llama-server's own endpoints. The truth is transformers' text (test/models/tiny-llama/expected), llama.cpp's tokens, and the shapes
// of llama-server 0.5.0's README.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { planConversion, writeModel } from '@quern/kquant';
import { openModel } from '@quern/models';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type NativeModel, openNativeModel, oracleUnavailable } from '../oracle/src/index.ts';
import { expectedChats, neverEnding, startTestServer, type TestServer, tinyLlama } from './serve-fixture.ts';

if (oracleUnavailable) console.log(`Skipping the comparison of tokens with llama.cpp: ${oracleUnavailable}`);

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ model: { alias: 'tiny', contextTokens: 512 } });
  await server.ready;
});
afterAll(() => server.close());

const [chat] = expectedChats;
const greedy = chat!.greedy_text.replace('<|im_end|>', '');
const post = async (path: string, body: object) => (await server.post(path, body)).json();
const complete = (body: object) => post('/completion', { temperature: 0, n_predict: 40, ...body });
const eventsOf = async (body: object) => {
  const response = await server.post('/completion', { temperature: 0, n_predict: 40, stream: true, ...body });
  const lines = (await response.text()).split('\n\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line.replace(/^data: /, '')));
};

describe('POST /completion', () => {
  it('continues as transformers does, in llama-server’s fields', async () => {
    const reply = await complete({ prompt: chat!.ids, n_predict: -1, return_tokens: true });
    expect(reply).toEqual({
      ...{ index: 0, content: greedy, tokens: chat!.greedy_ids.slice(0, -1), id_slot: -1, stop: true, model: 'tiny' },
      ...{ tokens_predicted: chat!.greedy_ids.length, tokens_evaluated: chat!.ids.length },
      generation_settings: expect.objectContaining({ n_predict: -1, temperature: 0, top_k: 40, min_p: 0.05, stop: [] }),
      ...{ prompt: chat!.rendered, has_new_line: greedy.includes('\n'), truncated: false },
      ...{ stop_type: 'eos', stopping_word: '', tokens_cached: expect.any(Number) },
      timings: expect.objectContaining({ predicted_n: chat!.greedy_ids.length, prompt_ms: expect.any(Number) }),
    });
    expect(Object.values(reply.timings).every((value) => Number.isFinite(value))).toBe(true);
    // As llama.cpp counts: the first token comes with the end of the prompt.
    const { predicted_n: count, predicted_ms: ms, predicted_per_second: rate } = reply.timings;
    expect(rate).toBeCloseTo((1000 / ms) * (count - 1), 6);
    const one = await complete({ prompt: chat!.ids, n_predict: 1 });
    expect(one.timings).toMatchObject({ predicted_n: 1, predicted_per_second: 0, predicted_per_token_ms: 0 });
  });

  it('streams events without [DONE]; the last has the settings', async () => {
    const events = await eventsOf({ prompt: chat!.ids, n_predict: 64 });
    const last = events.at(-1);
    expect(events.map(({ content }) => content).join('')).toBe(greedy);
    expect(events.flatMap(({ tokens }) => tokens)).toEqual(chat!.greedy_ids.slice(0, -1));
    expect(events.slice(0, -1).every(({ stop }) => stop === false)).toBe(true);
    expect(last).toMatchObject({ stop: true, stop_type: 'eos', content: '', prompt: chat!.rendered });
  });

  it('says what ended it', async () => {
    const word = await complete({ prompt: chat!.ids, stop: [greedy.slice(5, 9)] });
    expect(word).toMatchObject({ content: greedy.slice(0, 5), stop_type: 'word', stopping_word: greedy.slice(5, 9) });
    expect(await complete({ prompt: chat!.ids, n_predict: 3 })).toMatchObject({
      stop_type: 'limit',
      tokens_predicted: 3,
    });
    expect(await complete({ prompt: chat!.ids, n_predict: 0 })).toMatchObject({ content: '', tokens_predicted: 0 });
  });

  it('prompts of all forms', async () => {
    const text = chat!.rendered.replace('<|begin_of_text|>', '');
    const { bos, rest } = { bos: chat!.ids[0]!, rest: chat!.ids.slice(1) };
    for (const prompt of [text, { prompt_string: text }, [bos, text], [text], [[bos, ...rest]]])
      expect((await complete({ prompt, n_predict: 64 })).content, JSON.stringify(prompt)).toBe(greedy);
    const several = await complete({ prompt: [text, 'In the beginning'], n_cmpl: 2, n_predict: 4 });
    expect(several.map(({ index }: { index: number }) => index)).toEqual([0, 1, 2, 3]);
    expect(several[1].content).toBe(several[0].content);
  });

  it('the same seed, told where none was given, gives the same text', async () => {
    const first = await complete({ prompt: 'In the beginning', temperature: 1.5, ...neverEnding });
    const { seed } = first.generation_settings;
    expect((await complete({ prompt: 'In the beginning', temperature: 1.5, ...neverEnding, seed })).content).toBe(
      first.content,
    );
  });

  it('n_probs: probabilities of each token, of which the chosen one is the likeliest', async () => {
    const { completion_probabilities: all } = await complete({ prompt: chat!.ids, n_probs: 3 });
    expect(all.map(({ id }: { id: number }) => id)).toEqual(chat!.greedy_ids.slice(0, -1));
    for (const { id, bytes, token, logprob, top_logprobs: top } of all) {
      expect(top).toHaveLength(3);
      expect(top[0]).toEqual({ id, bytes, token, logprob });
      expect(Buffer.from(bytes).toString()).toBe(token);
    }
    const [event] = await eventsOf({ prompt: chat!.ids, n_probs: 1 });
    expect(event.completion_probabilities[0].top_logprobs[0].id).toBe(chat!.greedy_ids[0]);
  });

  it('post_sampling_probs: of what the sampler left', async () => {
    const body = { prompt: chat!.ids, n_predict: 4, n_probs: 5, post_sampling_probs: true, seed: 1 };
    const { completion_probabilities: greedy } = await complete(body);
    for (const { prob, top_probs: top } of greedy) expect([prob, top.length]).toEqual([1, 1]);
    const { completion_probabilities: two } = await complete({ ...body, temperature: 2, top_k: 2, min_p: 0, top_p: 1 });
    for (const { id, prob, top_probs: top } of two) {
      expect(top).toHaveLength(2);
      expect(top[0].prob + top[1].prob).toBeCloseTo(1, 5);
      expect(top.find((other: { id: number }) => other.id === id).prob).toBe(prob);
    }
  });

  it('response_fields chooses, and takes nested ones out', async () => {
    const reply = await complete({ prompt: 'a', response_fields: ['content', 'generation_settings/top_k', 'nothing'] });
    expect(reply).toEqual({ content: expect.any(String), 'generation_settings/top_k': 40 });
  });

  it.each([
    [
      { prompt: 'word '.repeat(900) },
      400,
      'exceed_context_size_error',
      { n_prompt_tokens: expect.any(Number), n_ctx: 512 },
    ],
    [{ prompt: 'a', samplers: '1' }, 400, 'invalid_request_error'],
    [{ prompt: 'a', temperature: 'warm' }, 400, 'invalid_request_error'],
    [{ prompt: 'a', return_progress: true, stream: true }, 400, 'invalid_request_error'],
    [{}, 400, 'invalid_request_error', {}, '/embedding'],
    [{ model: 'tiny-llama' }, 400, 'invalid_request_error', {}, '/models/unload'],
  ])('failures are llama-server’s: %o', async (body, code, type, numbers?: object, path = '/completion') => {
    const response = await server.post(path, body);
    expect(response.status).toBe(code);
    expect(await response.json()).toEqual({ error: { code, type, message: expect.stringMatching(/./), ...numbers } });
  });
});

describe('tokens and templates', () => {
  const texts = ['In the beginning', ' zwei  Wörter\n', '<|im_start|>user\nHi<|im_end|>', '👩‍🚀 \u0301'];

  it('tokenize and detokenize are each other’s way back, special tokens included', async () => {
    expect((await post('/tokenize', { content: chat!.rendered })).tokens).toEqual(chat!.ids);
    expect((await post('/detokenize', { tokens: chat!.ids })).content).toBe(chat!.rendered);
    const { tokens } = await post('/tokenize', { content: 'Wörter 👩‍🚀', with_pieces: true });
    const bytes = tokens.flatMap(({ piece }: { piece: string | number[] }) => [...Buffer.from(piece as string)]);
    expect(Buffer.from(bytes).toString()).toBe('Wörter 👩‍🚀');
    expect(tokens.some(({ piece }: { piece: unknown }) => Array.isArray(piece))).toBe(true);
    expect((await post('/tokenize', { content: [5, 'a'], add_special: true })).tokens[0]).toBe(5);
    expect((await post('/tokenize', { content: 'a', add_special: true })).tokens[0]).toBe(chat!.ids[0]);
    expect((await post('/tokenize', { content: 'a<|im_end|>', parse_special: false })).tokens).not.toContain(3);
    expect((await post('/detokenize', { tokens: [99999] })).error).toMatchObject({ code: 400 });
    // More than are decoded at a time, and a character that two of the parts share.
    const { tokens: many } = await post('/tokenize', { content: '𝒳'.repeat(50_001) });
    expect((await post('/detokenize', { tokens: many })).content).toBe('𝒳'.repeat(50_001));
  });

  it('in vLLM’s form: prompts and chats, with their number and the context', async () => {
    const { messages, ids } = chat!;
    const told = { count: ids.length, max_model_len: 512, tokens: ids };
    expect(await post('/tokenize', { messages })).toEqual({ ...told, token_strs: null });
    expect(await post('/tokenize', { messages, add_generation_prompt: false })).toMatchObject({
      count: ids.length - 3,
    });
    const body = { prompt: chat!.rendered, add_special_tokens: false, return_token_strs: true };
    const { token_strs, ...rest } = await post('/tokenize', body);
    expect(rest).toEqual(told);
    // As the vocabulary spells them: transformers' `convert_ids_to_tokens`.
    expect(token_strs.join('')).toBe(chat!.rendered.replaceAll(' ', 'Ġ').replaceAll('\n', 'Ċ'));
    expect((await post('/tokenize', { prompt: 'a' })).tokens[0]).toBe(ids[0]);
    expect((await post('/detokenize', { tokens: ids })).prompt).toBe(chat!.rendered);
    for (const wrong of [{}, { prompt: 'a', content: 'a' }])
      expect((await post('/tokenize', wrong)).error.message).toMatch(/^content: give a text/);
    for (const path of ['/chat/completions/input_tokens', '/v1/chat/completions/input_tokens'])
      expect(await post(path, { messages })).toEqual({ input_tokens: ids.length });
    expect(await post('/responses/input_tokens', { input: 'Hi' })).toMatchObject({ object: 'response.input_tokens' });
  });

  describe.skipIf(oracleUnavailable)('as llama.cpp', () => {
    let folder: string;
    let native: NativeModel;
    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'quern-llama-server-'));
      const view = await openModel(tinyLlama);
      await writeModel(view, planConversion(view, 'F32'), join(folder, 'tiny.gguf'), { threads: 1 });
      await view.close();
      native = openNativeModel(join(folder, 'tiny.gguf'), { vocabOnly: true });
    });
    afterAll(() => {
      native?.close();
      rmSync(folder, { recursive: true, force: true });
    });

    it.each(texts)('%j', async (content) => {
      const ids = native.tokenize(content, { parseSpecial: true });
      expect((await post('/tokenize', { content })).tokens).toEqual(ids);
      expect((await post('/detokenize', { tokens: ids })).content).toBe(native.detokenize(ids, { keepSpecial: true }));
    });
  });

  it.each(expectedChats.map((one, index) => ({ index, one })))(
    'apply-template renders as transformers (conversation $index)',
    async ({ one }) => {
      const body = { messages: one.messages, tools: one.tools ?? undefined };
      expect(await post('/apply-template', body)).toEqual({ prompt: one.rendered });
    },
  );
});

describe('what the server says of itself', () => {
  it('GET /props', async () => {
    const props = await (await fetch(`${server.url}/props`)).json();
    expect(props).toMatchObject({
      // Temperature and top_p are those of the folder's generation_config.json.
      default_generation_settings: { n_ctx: 512, params: { temperature: 0.7, top_p: 0.9, top_k: 40, seed: -1 } },
      ...{ total_slots: 4, model_alias: 'tiny', model_path: tinyLlama, is_sleeping: false },
      ...{ bos_token: '<|begin_of_text|>', modalities: { vision: false, audio: false } },
    });
    expect(props.chat_template).toContain('im_start');
  });

  it('POST /props: 501, as llama-server without --props', async () => {
    const response = await server.post('/props', {});
    expect(response.status).toBe(501);
    expect((await response.json()).error).toMatchObject({ code: 501, type: 'not_supported_error' });
  });

  it('GET /slots, 503 with fail_on_no_slot when all are taken', async () => {
    const [slot] = await (await fetch(`${server.url}/slots`)).json();
    expect(slot).toMatchObject({ id: 0, n_ctx: 512, speculative: false, is_processing: false });
    expect((await fetch(`${server.url}/slots?fail_on_no_slot=1`)).status).toBe(200);
    const stop = new AbortController();
    const body = JSON.stringify({ prompt: 'a', n_cmpl: 4, ...neverEnding, stream: true });
    const busy = await server.post('/completion', body, { signal: stop.signal });
    await busy.body!.getReader().read();
    await expect.poll(async () => (await fetch(`${server.url}/slots?fail_on_no_slot=1`)).status).toBe(503);
    stop.abort();
  });
});

describe('POST /infill', () => {
  /** The tiny model was not trained for it; its order of tokens is what is looked at. */
  const places = { fim_pre: 10, fim_suf: 11, fim_mid: 12, fim_rep: 13, fim_sep: 14 };
  const text = { input_prefix: 'def f():', input_suffix: 'return 1' };
  let filling: TestServer;
  beforeAll(async () => {
    const metadata = Object.entries(places).map(
      ([name, value]) => [`tokenizer.ggml.${name}_token_id`, { type: 'uint32', value }] as const,
    );
    filling = await startTestServer({ model: { contextTokens: 256, override: { metadata, rope: {} } } });
    await filling.ready;
  });
  afterAll(() => filling.close());

  const ids = async (content: string): Promise<number[]> =>
    (await (await filling.post('/tokenize', { content })).json()).tokens;

  it('puts files, prefix, suffix and what was begun in llama-server’s order', async () => {
    const [bos] = chat!.ids;
    const body = { ...text, prompt: 'x =', input_extra: [{ filename: 'a.py', text: 'import b' }], n_predict: 1 };
    const expected = [
      ...[13, ...(await ids('myproject\n')), 14, ...(await ids('a.py\n')), ...(await ids('import b'))],
      ...[14, ...(await ids('filename\n')), bos, 10, ...(await ids('def f():')), ...(await ids('x ='))],
      ...[11, ...(await ids('return 1')), 12],
    ];
    const { prompt } = await (await filling.post('/infill', body)).json();
    const { content } = await (await filling.post('/detokenize', { tokens: expected })).json();
    expect(prompt).toBe(content);
  });

  it('suffix of /v1/completions is the same without files', async () => {
    const reply = await filling.post('/v1/completions', {
      ...{ prompt: 'def f():', suffix: 'return 1', return_token_ids: true, max_tokens: 2 },
    });
    const [bos] = chat!.ids;
    const expected = [bos, 10, ...(await ids('def f():')), 11, ...(await ids('return 1')), 12];
    expect((await reply.json()).choices[0].prompt_token_ids).toEqual(expected);
  });

  it('a model without the tokens: 400', async () => {
    expect((await post('/infill', text)).error).toMatchObject({
      code: 400,
      message: expect.stringMatching(/tiny.*no tokens/),
    });
  });
});
