// /v1/rerank against the scores of transformers' cross-encoders, and by cosine with an embedding model.
import { readFileSync } from 'node:fs';
import { loadServedModel } from '@quern/serve-command/server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from './serve-fixture.ts';

const folderOf = (name: string): string => new URL(`../models/arch/${name}`, import.meta.url).pathname;

interface Answer {
  readonly model: string;
  readonly usage: { readonly prompt_tokens: number };
  readonly results: readonly {
    readonly index: number;
    readonly relevance_score: number;
    readonly document?: { text: string };
  }[];
}

describe.each(['xlm-roberta-reranker', 'bert-reranker'])('%s', (name) => {
  const recorded = JSON.parse(readFileSync(`${folderOf(name)}/expected.json`, 'utf8')) as {
    pairs: [string, string][];
    scores: [number][];
    ids: number[][];
  };
  const [query] = recorded.pairs[0]!;
  const asked = recorded.pairs.flatMap(([first], i) => (first === query ? [i] : []));
  const documents = asked.map((i) => recorded.pairs[i]![1]);
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ load: () => loadServedModel(folderOf(name), { threads: 1 }) });
    await server.ready;
  });
  afterAll(() => server.close());

  it.each(['/v1/rerank', '/rerank'])('gives the scores of transformers, best first, at %s', async (path) => {
    const response = await server.post(path, { query, documents, return_documents: true });
    expect(response.status).toBe(200);
    const { results, usage } = (await response.json()) as Answer;
    expect(usage.prompt_tokens).toBe(asked.reduce((sum, i) => sum + recorded.ids[i]!.length, 0));
    expect(results).toHaveLength(documents.length);
    for (const { index, relevance_score: score, document } of results) {
      expect(score).toBeCloseTo(recorded.scores[asked[index]!]![0], 5);
      expect(document).toEqual({ text: documents[index] });
    }
    const scores = results.map((result) => result.relevance_score);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
  });

  it('gives the same in TEI’s form, and pairs in vLLM’s', async () => {
    const truth = asked.map((i) => recorded.scores[i]![0]);
    const tei = await (await server.post('/rerank', { query, texts: documents, return_text: true })).json();
    expect(tei.map(({ index }: { index: number }) => documents[index])).toEqual(
      tei.map(({ text }: { text: string }) => text),
    );
    for (const { index, score } of tei) expect(score).toBeCloseTo(truth[index]!, 5);
    const expectScores = async (path: string, body: object) => {
      const { data, ...head } = await (await server.post(path, body)).json();
      expect(head).toMatchObject({ object: 'list', usage: { completion_tokens: 0 } });
      expect(data).toEqual(truth.map((value, index) => ({ index, object: 'score', score: expect.closeTo(value, 5) })));
    };
    await expectScores('/v1/score', { text_1: query, text_2: documents });
    await expectScores('/score', { queries: documents.map(() => query), documents });
  });

  it('refuses sides that are no pairs, both lists, and what would change scores', async () => {
    const texts = ['a', 'b'];
    for (const [path, body, param] of [
      ['/v1/score', { text_1: texts, text_2: ['a', 'b', 'c'] }, 'text_2'],
      ['/v1/score', { text_2: 'a' }, 'queries'],
      ['/rerank', { query, texts, documents: texts }, 'documents'],
      ['/v1/rerank', { query, documents: texts, max_tokens_per_doc: 8 }, 'max_tokens_per_doc'],
      ['/v1/score', { text_1: 'a', text_2: 'b', use_activation: true }, 'use_activation'],
    ] as const) {
      const response = await server.post(path, body);
      expect(response.status).toBe(400);
      expect((await response.json()).error).toMatchObject({ param });
    }
  });

  it('gives the first of them, and takes documents as objects', async () => {
    const objects = documents.map((text) => ({ text }));
    const response = await server.post('/v1/rerank', { query, documents: objects, top_n: 1 });
    expect(((await response.json()) as Answer).results).toHaveLength(1);
  });

  it('refuses a document that is too long, an empty list, and vectors', async () => {
    const long = await server.post('/v1/rerank', { query, documents: ['x', 'panda '.repeat(200)] });
    expect(long.status).toBe(400);
    expect(await long.json()).toMatchObject({ error: { code: 'context_length_exceeded', param: 'documents.1' } });
    expect((await server.post('/v1/rerank', { query, documents: [] })).status).toBe(400);
    const vectors = await server.post('/v1/embeddings', { input: 'x' });
    expect(await vectors.json()).toMatchObject({ error: { code: 'not_an_embedding_model' } });
  });
});

describe('an embedding model', () => {
  it('ranks by the cosine of its vectors', async () => {
    const server = await startTestServer({ load: () => loadServedModel(folderOf('roberta'), { threads: 1 }) });
    await server.ready;
    const response = await server.post('/v1/rerank', { query: 'the cat', documents: ['a dog barks', 'the cat'] });
    const { results } = (await response.json()) as Answer;
    expect(results[0]).toMatchObject({ index: 1 });
    expect(results[0]!.relevance_score).toBeCloseTo(1, 5);
    await server.close();
  });
});
