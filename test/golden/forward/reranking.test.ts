// Scores of pairs of texts against transformers' …ForSequenceClassification (recorded in the checkpoints): the tokens of the
// pairs, and the scores on every device; from the folder, from a GGUF made of it, and from a checkpoint made of that.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TranscodePool } from '@quern/blocks';
import type { ModelView } from '@quern/checkpoint';
import { planConversion, writeModel } from '@quern/kquant';
import { embedBatch, embeddingSizes, openModel } from '@quern/models';
import { cpuDevice, type Device, referenceDevice } from '@quern/runtime';
import { encodePairs, tokenizerFromGguf } from '@quern/tokenizer';
import { afterAll, describe, expect, it } from 'vitest';
import { testPath, withModel } from './recorded.ts';

const cpu = await cpuDevice({ threads: 2 });
const devices = [referenceDevice(), cpu];
const scratch = mkdtempSync(join(tmpdir(), 'quern-reranking-'));
const pool = await TranscodePool.create({ threads: 1 });
afterAll(async () => {
  await Promise.all(devices.map((device) => device.dispose()));
  await pool.close();
  rmSync(scratch, { recursive: true, force: true });
});

interface Recorded {
  readonly pairs: readonly (readonly [string, string])[];
  readonly ids: readonly (readonly number[])[];
  readonly scores: readonly (readonly number[])[];
}

describe.each(['xlm-roberta-reranker', 'bert-reranker'])('%s', (name) => {
  const folder = testPath(`models/arch/${name}`);
  const { pairs, ids, scores }: Recorded = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8'));

  const scoresOf = async (view: ModelView, device: Device): Promise<number[]> => {
    const tokenizer = tokenizerFromGguf(view.metadata);
    const texts = pairs.map(([query, document]) => encodePairs(tokenizer, query, [document])[0]!);
    const tokens = texts.reduce((sum, text) => sum + text.tokens.length, 0);
    let rows: Float32Array[] = [];
    await withModel(view, device, embeddingSizes(tokens, texts.length), async (model) => {
      rows = await embedBatch(model, texts);
    });
    return rows.map(([score]) => score!);
  };
  const expectScores = (given: readonly number[]): void => {
    expect(given).toHaveLength(scores.length);
    for (const [i, score] of given.entries()) expect(score).toBeCloseTo(scores[i]![0]!, 5);
  };

  it('joins pairs as transformers does', async () => {
    const view = await openModel(folder);
    const tokenizer = tokenizerFromGguf(view.metadata);
    expect(pairs.map(([query, document]) => [...encodePairs(tokenizer, query, [document])[0]!.tokens])).toEqual(ids);
    await view.close();
  });

  it.each(devices)('gives the scores of transformers on the $name device', async (device) => {
    expectScores(await scoresOf(await openModel(folder), device));
  });

  it('gives them from a GGUF', async () => {
    const output = join(scratch, `${name}.gguf`);
    const view = await openModel(folder);
    await writeModel(view, planConversion(view, 'BF16'), output, { pool });
    await view.close();
    expectScores(await scoresOf(await openModel(output), cpu));
  });
});
