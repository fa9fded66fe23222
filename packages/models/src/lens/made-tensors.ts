// Tensors that no checkpoint stores: divisors of rope frequencies, which follow from config.json, and constants that a
// record fills in. They come first in a file.
import { dtypeByName } from '@quern/blocks';
import { checkRowRange, type TensorView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import type { ExpectedTensor } from '../arch/expected-tensors.ts';
import { llama3RopeFactors } from './rope-freqs.ts';
import type { RopeOfModel } from './rope-parameters.ts';

/** What a pair is divided by that shall not turn at all (llama.cpp's conversion/gemma.py). */
const never = 1e30;

/** Rope tensors of every kind: the record says with rules which of them its architecture may have. */
function ropeTensor(name: string, rope: RopeOfModel | undefined, headDim: number): Float32Array | undefined {
  const full = rope?.full;
  if (name === 'rope_freqs.weight') {
    if (full?.llama3) return llama3RopeFactors(full.llama3, full.theta, headDim);
    if (full?.type !== 'proportional') return undefined;
    const turning = Math.floor(((full.partial ?? 1) * headDim) / 2);
    return Float32Array.from({ length: headDim / 2 }, (_, pair) => (pair < turning ? 1 : never));
  }
  if (name === 'rope_factors_long.weight') return full?.longrope && Float32Array.from(full.longrope.long);
  if (name === 'rope_factors_short.weight') return full?.longrope && Float32Array.from(full.longrope.short);
  return undefined;
}

/** Lists of config.json that become tensors. */
const lists: Readonly<Record<string, string>> = {
  'rope_factors_long.weight': 'in "long_factor"',
  'rope_factors_short.weight': 'in "short_factor"',
};

/**
 * @param file what they follow from, for messages
 * @throws QuernError `config-bad-value` when config.json gives another number of factors than there are pairs
 */
export function madeTensors(
  expected: readonly ExpectedTensor[],
  rope: RopeOfModel | undefined,
  file: string,
): Map<string, TensorView> {
  const tensors = new Map<string, TensorView>();
  for (const { rule, gguf, shape, place } of expected) {
    if (rule.presence !== 'made') continue;
    const values = rule.make ? rule.make(place) : ropeTensor(gguf, rope, 2 * place.sizes.ropePairs!);
    if (!values) continue;
    const wanted = shape.reduce((product, size) => product * size, 1);
    if (values.length !== wanted)
      throw new QuernError(
        'config-bad-value',
        `config.json gives ${values.length} values ${lists[gguf] ?? `for ${gguf}`}, ${wanted} are needed.`,
        { file },
      );
    tensors.set(gguf, computedTensor(gguf, values, shape, file));
  }
  return tensors;
}

/** A float32 tensor that no file holds. */
export function computedTensor(name: string, values: Float32Array, shape: readonly number[], file: string): TensorView {
  // GGUF is little-endian, whatever the machine is.
  const bytes = new Uint8Array(values.length * 4);
  const data = new DataView(bytes.buffer);
  for (const [i, value] of values.entries()) data.setFloat32(4 * i, value, true);
  const cols = shape.at(-1) ?? 1;
  const rowBytes = 4 * cols;
  const place = { name, rows: values.length / cols, rowBytes, file, offset: 0 };
  return {
    ...place,
    dtype: dtypeByName('F32')!,
    shape,
    cols,
    async readRows(firstRow, rowCount, into) {
      checkRowRange(place, firstRow, rowCount, into);
      into.set(bytes.subarray(firstRow * rowBytes, (firstRow + rowCount) * rowBytes));
    },
  };
}
