// Rope settings of GGUF metadata as config.json has them: the reverse of ../lens/rope-parameters.ts. They are written in
// both ways, `rope_parameters` (transformers 5) and `rope_theta` beside `rope_scaling` (before).
import type { ModelView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import type { Hyperparameters } from '../hyperparameters.ts';
import { llama3RopeFactors } from '../lens/rope-freqs.ts';
import type { Llama3Rope } from '../lens/rope-parameters.ts';
import { yarnKeys } from '../lens/rope-parameters.ts';
import { metadataReader } from '../metadata-reader.ts';
import { shortestFloat } from './shortest-float.ts';

type Json = Record<string, unknown>;

/** @throws QuernError `unsupported-rope`, and those of reading metadata */
export async function ropeConfig(view: ModelView, numbers: Hyperparameters): Promise<Json> {
  const theta = shortestFloat(numbers.ropeFreqBase);
  const scaling = view.tensors.has('rope_freqs.weight')
    ? await llama3Scaling(view, numbers)
    : plainScaling(view, numbers);
  return {
    rope_parameters: { rope_theta: theta, ...(scaling ?? { rope_type: 'default' }) },
    rope_scaling: scaling ?? null,
    rope_theta: theta,
  };
}

function plainScaling(view: ModelView, { architecture, ropeScaling }: Hyperparameters): Json | undefined {
  const { type, originalContext } = ropeScaling;
  if (type === 'none') return undefined;
  const scaling: Json = { rope_type: type, factor: shortestFloat(ropeScaling.factor) };
  if (type === 'linear') return scaling;
  scaling.original_max_position_embeddings = originalContext;
  const read = metadataReader(view, `${architecture}.`);
  for (const { gguf, hf } of yarnKeys) {
    if (read.has(gguf)) scaling[hf] = shortestFloat(read.number(gguf, -1e6, 1e6));
  }
  return scaling;
}

/** The converter's power function differs in the last bits from one CPU to another. */
const roundingError = 4 * 2 ** -23;

/**
 * GGUF stores Llama 3's factors, one for each pair, and not what they were computed from. Settings that give these
 * factors are looked for among those that models have; different settings with equal factors mean the same.
 */
async function llama3Scaling(view: ModelView, numbers: Hyperparameters): Promise<Json> {
  const { ropeScaling, ropeFreqBase, keyLength } = numbers;
  const tensor = view.tensors.get('rope_freqs.weight')!;
  const refuse = (why: string): never => {
    throw new QuernError('unsupported-rope', `The rope factors ${why}.`, {
      file: view.path,
      tensor: tensor.name,
      remedy: 'Config.json has no place for factors; take it from the original checkpoint.',
    });
  };
  if (ropeScaling.type !== 'none') refuse(`stand beside rope scaling "${ropeScaling.type}"`);
  if (tensor.dtype.name !== 'F32') refuse(`are stored as ${tensor.dtype.name}`);
  const bytes = new Uint8Array(tensor.rowBytes * tensor.rows);
  await tensor.readRows(0, tensor.rows, bytes);
  const data = new DataView(bytes.buffer);
  const factors = Array.from({ length: keyLength / 2 }, (_, i) => data.getFloat32(4 * i, true));
  for (const rope of candidates(Math.max(...factors))) {
    const computed = llama3RopeFactors(rope, shortestFloat(ropeFreqBase), keyLength);
    if (!factors.every((factor, i) => Math.abs(factor - computed[i]!) <= roundingError * factor)) continue;
    return {
      rope_type: 'llama3',
      factor: rope.factor,
      low_freq_factor: rope.lowFreqFactor,
      high_freq_factor: rope.highFreqFactor,
      original_max_position_embeddings: rope.originalContext,
    };
  }
  return refuse("do not follow from Llama 3's formula with any known settings");
}

/** Llama 3.1's settings first. The largest factor is the setting, unless no pair is as slow as that. */
function* candidates(largest: number): Generator<Llama3Rope> {
  const contexts = [8192, ...Array.from({ length: 16 }, (_, i) => 2 ** (i + 5))];
  const factors = [largest, 8, 32, 2, 4, 16, 64];
  for (const factor of factors) {
    for (const highFreqFactor of [4, 2, 8, 16, 32]) {
      for (const originalContext of contexts) yield { factor, lowFreqFactor: 1, highFreqFactor, originalContext };
    }
  }
}
