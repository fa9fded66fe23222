// The search for scales alone, over a whole model, for quantizers other than AWQ's. What is found is saved block by block
// in <file>.unfinished; a run that was stopped goes on from there.
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { ModelView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import { hyperparameters } from '@quern/models';
import type { Device } from '@quern/runtime';
import type { FoldedPair } from '../fold/fold-scales.ts';
import { readScales, writeScales } from '../fold/scales-file.ts';
import type { Grid } from '../grid/grid.ts';
import { embedTokens } from '../layer/embed-tokens.ts';
import { quantizedWeights, requireGroups } from '../layer/layer-pairs.ts';
import { preflight } from './preflight.ts';
import { passThrough, quantizeLayer } from './quantize-layer.ts';
import type { QuantizeHooks } from './quantize-model.ts';
import { modelIdentity, tokensIdentity } from './run-identity.ts';
import { Steps } from './step.ts';

/**
 * AWQ's own grid, with the largest usual groups that divide all rows. (Q4_K has groups of 32 in runs of 256. Searching with
 * 32 gave no better files than with 128, docs/decisions/awq.md.)
 */
export function scalesGrid(weights: readonly { cols: number }[]): Grid {
  const groupSize = [128, 64, 32].find((size) => weights.every(({ cols }) => cols % size === 0)) ?? 32;
  return { bits: 4, groupSize, symmetric: false, leastZero: 0 };
}

/**
 * @param path of the scales file that is written; an existing one of the same model, text and settings is read instead
 * @throws QuernError `refused-other-settings`, `group-size-indivisible`, `model-too-large`, `quantize-non-finite`,
 *   `awq-scales-*`
 */
export async function findScales(
  view: ModelView,
  device: Device,
  sequences: readonly Int32Array[],
  path: string,
  hooks: QuantizeHooks = {},
): Promise<readonly FoldedPair[]> {
  const { blockCount } = hyperparameters(view);
  const blocks = Array.from({ length: blockCount }, (_, block) => block);
  const weights = blocks.flatMap((block) => quantizedWeights(view, block));
  const grid = scalesGrid(weights);
  requireGroups(weights, grid.groupSize, view.path);
  const facts = new Map([
    ['model', await modelIdentity(view)],
    ['calibration', tokensIdentity(sequences)],
    ['groupSize', String(grid.groupSize)],
  ]);
  if (existsSync(path)) return (await readSame(path, view, facts, false)).pairs;
  const unfinished = `${path}.unfinished`;
  hooks.onUnfinished?.(unfinished);
  const found = existsSync(unfinished) ? [...(await readSame(unfinished, view, facts, true)).pairs] : [];
  const firstBlock = new Set(found.map(({ prev }) => prev.split('.')[1])).size;
  if (firstBlock > 0) hooks.onNote?.(`Going on after ${firstBlock} blocks that an earlier run has searched.`);

  const method = { name: 'scales' } as const;
  const sequenceTokens = Math.max(...sequences.map(({ length }) => length));
  const needs = await preflight({ view, device, method, sequences: sequences.length, sequenceTokens });
  hooks.onPreflight?.({ ...needs, outputBytes: 0 });
  const states = await embedTokens(view, sequences);
  const isFinished = (block: number): boolean => block < firstBlock;
  const steps = new Steps(view, blocks, { method, sequences, isFinished }, hooks);
  for (const block of blocks) {
    steps.begin(block);
    const task = { view, device, block, grid, method, onStep: steps.step };
    if (isFinished(block)) {
      await passThrough(task, states, new Map());
      continue;
    }
    const { quantized, changed, ...layer } = await quantizeLayer(task, states);
    hooks.onLayer?.(layer);
    found.push(...layer.pairs);
    await writeScales(unfinished, found, view, facts);
  }
  steps.begin(blockCount);
  await writeScales(path, found, view, facts);
  await rm(unfinished, { force: true });
  return found;
}

async function readSame(path: string, view: ModelView, facts: ReadonlyMap<string, string>, partial: boolean) {
  const file = await readScales(path, view, { partial });
  for (const [key, value] of facts) {
    if (file.facts.get(key) === value) continue;
    throw new QuernError('refused-other-settings', `The scales were computed with another ${key}.`, {
      file: path,
      remedy:
        'To use them as they are, name the file with --awq-scales and leave out --calibration, --samples, --seq-len ' +
        'and --seed; or remove it to compute them again.',
    });
  }
  return file;
}
