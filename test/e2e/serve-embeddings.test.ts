// /v1/embeddings and llama-server's /embedding, by OpenAI's own client and by hand, against the vectors of transformers.

import { loadServedModel } from '@quern/serve-command/server';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recordedEmbeddings } from '../golden/forward/recorded-embeddings.ts';
import { startTestServer, type TestServer, tinyLlama } from './serve-fixture.ts';

const roberta = new URL('../models/arch/roberta', import.meta.url).pathname;
const { texts, ids, vectors } = recordedEmbeddings(roberta);
const width = vectors.length / texts.length;
const vectorOf = (text: number): number[] => [...vectors.subarray(text * width, (text + 1) * width)];
const tokens = ids.reduce((sum, { length }) => sum + length, 0);

const expectClose = (given: readonly number[], expected: readonly number[]): void => {
  expect(given).toHaveLength(expected.length);
  expect(Math.max(...given.map((value, i) => Math.abs(value - expected[i]!)))).toBeLessThan(1e-6);
};

describe('an embedding model', () => {
  let server: TestServer;
  let client: OpenAI;
  beforeAll(async () => {
    server = await startTestServer({ load: () => loadServedModel(roberta, { threads: 1, alias: 'roberta' }) });
    await server.ready;
    client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'none' });
  });
  afterAll(() => server.close());

  it('gives the vectors of transformers to OpenAI’s client, which asks for base64', async () => {
    const { data, usage, model, ...more } = await client.embeddings.create({ model: 'roberta', input: texts });
    expect(model).toBe('roberta');
    // Of vLLM's answer; Mistral's client does without no answer's id.
    expect(more).toMatchObject({ id: expect.stringMatching(/^embd-\w+$/) });
    expect(usage).toEqual({ prompt_tokens: tokens, total_tokens: tokens });
    for (const { index, embedding } of data) expectClose(embedding, vectorOf(index));
    expect(data.map(({ index }) => index)).toEqual(texts.map((_, index) => index));
  });

  it('gives numbers when they are asked for, of one text, of token ids', async () => {
    for (const input of [texts[0]!, ids[0]!, [ids[0]!]]) {
      const { data } = await client.embeddings.create({ model: 'roberta', input, encoding_format: 'float' });
      expect(data).toHaveLength(1);
      expectClose(data[0]!.embedding, vectorOf(0));
    }
  });

  it('takes llama-server’s objects as the texts that they hold, and refuses what would change a vector', async () => {
    const [text] = texts;
    const wrapped = [
      { prompt_string: text },
      {
        content: [
          { type: 'text', text: text!.slice(0, 3) },
          { type: 'text', text: text!.slice(3) },
        ],
      },
    ];
    for (const input of [...wrapped, [...wrapped, text, ids[0]]]) {
      const { data } = await (await server.post('/v1/embeddings', { input })).json();
      expect(data).toHaveLength(Array.isArray(input) ? 4 : 1);
      for (const { embedding } of data) expectClose(embedding, vectorOf(0));
    }
    for (const input of [{ content: 'a' }, { content: [{ type: 'image_url', image_url: { url: 'data:,' } }] }, []])
      expect((await server.post('/v1/embeddings', { input })).status).toBe(400);
    for (const field of [
      { input_type: 'query' },
      { normalize: false },
      { embed_dtype: 'float16' },
      { truncate_prompt_tokens: 4 },
    ]) {
      const { error } = await (await server.post('/v1/embeddings', { input: text, ...field })).json();
      expect(error).toMatchObject({ code: 'unsupported_parameter', param: Object.keys(field)[0] });
    }
  });

  it('keeps the first dimensions, of length 1', async () => {
    const { data } = await client.embeddings.create({ model: 'roberta', input: texts[0]!, dimensions: 8 });
    const first = vectorOf(0).slice(0, 8);
    const length = Math.hypot(...first);
    expectClose(
      data[0]!.embedding,
      first.map((value) => value / length),
    );
    const more = client.embeddings.create({ model: 'roberta', input: texts[0]!, dimensions: width + 1 });
    await expect(more).rejects.toMatchObject({ status: 400, param: 'dimensions' });
  });

  it('gives llama-server’s form, normalized in its ways', async () => {
    const response = await server.post('/embedding', { content: texts, embd_normalize: 2 });
    const rows = (await response.json()) as { index: number; embedding: number[][] }[];
    for (const { index, embedding } of rows) expectClose(embedding[0]!, vectorOf(index));
    const greatest = await server.post('/embedding', { content: texts[0], embd_normalize: 0 });
    const [{ embedding }] = (await greatest.json()) as typeof rows;
    expect(Math.max(...embedding[0]!.map(Math.abs))).toBeCloseTo(32760, 2);
  });

  it('refuses a text that is longer than its context with both numbers, and an empty list', async () => {
    const response = await server.post('/v1/embeddings', { input: ['short', 'word '.repeat(3000)] });
    expect(response.status).toBe(400);
    const { error } = (await response.json()) as { error: { code: string; message: string; param: string } };
    expect(error).toMatchObject({ code: 'context_length_exceeded', param: 'input.1' });
    expect(error.message).toMatch(/has \d+ tokens; the model takes \d+/);
    expect((await server.post('/v1/embeddings', { input: [] })).status).toBe(400);
    // An id is not cut to 32 bits.
    for (const id of [10 ** 9, 2 ** 32 + 5]) {
      const unknown = await server.post('/v1/embeddings', { input: [1, id] });
      expect(await unknown.json()).toMatchObject({ error: { code: 'invalid_value', param: 'input' } });
    }
  });

  it('does not generate, and says so', async () => {
    const response = await server.post('/v1/completions', { prompt: 'x' });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: 'not_a_generating_model' } });
    expect((await fetch(`${server.url}/health`)).status).toBe(200);
  });
});

describe('a model that generates', () => {
  it('makes vectors when told to, and refuses otherwise', async () => {
    const plain = await startTestServer();
    await plain.ready;
    const refused = await plain.post('/v1/embeddings', { input: 'x' });
    expect(await refused.json()).toMatchObject({ error: { code: 'not_an_embedding_model' } });
    await plain.close();
    const told = await startTestServer({
      load: () => loadServedModel(tinyLlama, { threads: 1, embeddings: { pooling: 'mean' } }),
    });
    await told.ready;
    const response = await told.post('/v1/embeddings', { input: ['one text', 'another'] });
    const { data } = (await response.json()) as { data: { embedding: number[] }[] };
    for (const { embedding } of data) expect(Math.hypot(...embedding)).toBeCloseTo(1, 5);
    await told.close();
  });
});
