// Vectors from the engine's thread against those of transformers, however many ask at once.
import { Engine } from '@quern/engine';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkpointOf } from './architectures.ts';
import { maxDifference } from './recorded.ts';
import { recordedEmbeddings } from './recorded-embeddings.ts';

describe.each(['roberta', 'xlm-roberta', 'bert', 'qwen3-embedding'])('%s', (name) => {
  const folder = checkpointOf(name);
  if (!folder) {
    it.skip(`skipped: no checkpoint of ${name} in test/models/arch, nor in QUERN_MODELS`);
    return;
  }
  const { ids, vectors } = recordedEmbeddings(folder);
  const sequences = ids.map((row) => ({ tokens: Int32Array.from(row) }));
  const width = vectors.length / ids.length;
  let engine: Engine;
  beforeAll(async () => {
    engine = await Engine.start({ modelPath: folder, threads: 1 });
  });
  afterAll(() => engine.close());

  it('says what it makes', () => {
    expect(engine.info.embeddings).toMatchObject({ width });
  });

  it('gives the vectors of transformers, to many at once', async () => {
    const answers = await Promise.all(Array.from({ length: 9 }, () => engine.embed(sequences)));
    for (const answer of answers)
      for (const [i, vector] of answer.entries())
        expect(maxDifference(vector, vectors.subarray(i * width, (i + 1) * width))).toBeLessThan(1e-6);
  });

  it('refuses a text that is too long, one without tokens and a token that is none, and goes on', async () => {
    const { contextTokens, hyperparameters } = engine.info;
    const long = { tokens: new Int32Array(contextTokens + 1).fill(5) };
    await expect(engine.embed([sequences[0]!, long])).rejects.toMatchObject({ code: 'context-exceeded' });
    await expect(engine.embed([{ tokens: new Int32Array(0) }])).rejects.toMatchObject({ code: 'embedding-empty' });
    const unknown = { tokens: Int32Array.of(hyperparameters.vocabSize) };
    await expect(engine.embed([unknown])).rejects.toMatchObject({ code: 'token-out-of-range' });
    await expect(engine.generate(sequences[0]!.tokens).next()).rejects.toMatchObject({ code: 'no-logits' });
    expect(await engine.embed([sequences[0]!])).toHaveLength(1);
  });

  it('forgets a request whose caller leaves', async () => {
    const leaving = new AbortController();
    const left = engine.embed(
      Array.from({ length: 200 }, () => sequences[0]!),
      { signal: leaving.signal },
    );
    const other = engine.embed([sequences[0]!]);
    leaving.abort();
    await expect(left).rejects.toMatchObject({ code: 'cancelled' });
    expect(await other).toHaveLength(1);
  });
});
