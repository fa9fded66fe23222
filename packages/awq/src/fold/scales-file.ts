// Scales kept in a small safetensors file, so that one search serves many quantizations. A tensor per pair, named after
// what is divided (`blk.0.attn_norm.weight`), F32 [channels] or [experts, channels].
import { dtypeByName } from '@quern/blocks';
import type { ModelView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import { hyperparameters } from '@quern/models';
import { openSafetensors, writeSafetensors } from '@quern/safetensors';
import { openFile } from '@quern/source';
import { isStack, layerPairs } from '../layer/layer-pairs.ts';
import { bytesOf, floatsOf } from '../layer/layer-weights.ts';
import type { FoldedPair } from './fold-scales.ts';

const format = 'quern-awq-scales';

/** @param facts strings that say how the scales were found */
export async function writeScales(
  path: string,
  pairs: readonly FoldedPair[],
  view: ModelView,
  facts: ReadonlyMap<string, string>,
): Promise<void> {
  const entries = pairs.map(({ prev, scales }) => {
    const maker = view.tensors.get(prev)!;
    const experts = maker.shape[0]!;
    const shape = isStack(maker) ? [experts, scales.length / experts] : [scales.length];
    return { name: prev, dtype: dtypeByName('F32'), shape, data: [bytesOf(scales)] };
  });
  await writeSafetensors(path, entries, new Map([['format', format], ...facts]));
}

export interface ScalesFile {
  readonly pairs: readonly FoldedPair[];
  readonly facts: ReadonlyMap<string, string>;
}

/**
 * @param partial some blocks may have no scales yet
 * @throws QuernError `awq-scales-not-recognized`, `awq-scales-other-model`, `awq-scales-invalid`, `safetensors-*`
 */
export async function readScales(path: string, view: ModelView, { partial = false } = {}): Promise<ScalesFile> {
  const source = await openFile(path);
  try {
    const file = await openSafetensors(source);
    if (file.metadata.get('format') !== format)
      throw new QuernError('awq-scales-not-recognized', 'The file holds no scales of AWQ.', {
        file: path,
        remedy: 'Give a file that --awq-scales has written, or no file to compute them.',
      });
    const pairs: FoldedPair[] = [];
    const known = new Set<string>();
    for (const pair of allPairs(view)) {
      const { prev } = pair;
      known.add(prev);
      const stored = file.tensors.get(prev);
      if (!stored && partial) continue;
      const channels = channelsOf(view, pair);
      const size = stored?.shape.reduce((product, length) => product * length, 1);
      if (stored?.dtype.name !== 'F32' || size !== channels)
        throw otherModel(path, prev, stored ? `[${stored.shape}] scales` : 'none', channels);
      const bytes = new Uint8Array(4 * channels);
      await source.readInto(bytes, stored.begin);
      const scales = floatsOf(bytes);
      if (!scales.every((scale) => scale > 0 && scale < Infinity))
        throw new QuernError('awq-scales-invalid', 'A scale is no positive number.', { file: path, tensor: prev });
      pairs.push({ ...pair, scales });
    }
    const unknown = [...file.tensors.keys()].find((name) => !known.has(name));
    if (unknown !== undefined) throw otherModel(path, unknown, 'scales', 0);
    return { pairs, facts: file.metadata };
  } finally {
    await source.close();
  }
}

/** All pairs of the model that are scaled, in the order of the search. */
export const allPairs = (view: ModelView) =>
  Array.from({ length: hyperparameters(view).blockCount }, (_, block) => layerPairs(view, block))
    .flat()
    .filter(({ scaled }) => scaled);

/** Behind a norm all experts share one vector; behind a stack each has its own. */
function channelsOf(view: ModelView, { prev, layers }: Pick<FoldedPair, 'prev' | 'layers'>): number {
  const maker = view.tensors.get(prev)!;
  const { cols } = view.tensors.get(layers[0]!)!;
  return isStack(maker) ? maker.shape[0]! * cols : cols;
}

const otherModel = (file: string, tensor: string, found: string, wanted: number): QuernError =>
  new QuernError('awq-scales-other-model', `The file has ${found} for ${tensor}; the model wants ${wanted}.`, {
    file,
    tensor,
    remedy: 'Compute the scales on this very model.',
  });
