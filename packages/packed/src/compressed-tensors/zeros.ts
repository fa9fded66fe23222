// weight_zero_point of compressed-tensors (layout.ts). Versions before 0.9 stored signed bytes, unpacked; so does
// int-quantized.
import { proveDType, proveShape } from '../proofs.ts';
import type { StoredTensor } from '../stored-tensor.ts';
import type { ModuleSettings } from './settings.ts';

type ZeroSettings = Pick<ModuleSettings, 'bits' | 'strategy'>;

export function proveZeros(
  zeroPoint: StoredTensor,
  rows: number,
  groups: number,
  { bits, strategy }: ZeroSettings,
): void {
  proveDType(zeroPoint, 'I32', 'I8');
  if (zeroPoint.dtype.name === 'I32') {
    proveShape(zeroPoint, [Math.ceil((rows * bits) / 32), groups], `${rows} rows of ${groups} packed zeros`);
  } else if (!(strategy === 'tensor' && zeroPoint.shape.length === 0)) {
    proveShape(zeroPoint, strategy === 'tensor' ? [1] : [rows, groups], `a zero per ${strategy}`);
  }
}

/** Zeros as codes from 0 on, `groups` per row. */
export async function readZeros(
  zeroPoint: StoredTensor,
  firstRow: number,
  count: number,
  groups: number,
  { bits, strategy }: ZeroSettings,
): Promise<Uint8Array> {
  const zeros = new Uint8Array(count * groups);
  const middle = 2 ** (bits - 1);
  if (zeroPoint.dtype.name === 'I8') {
    const signed = new Int8Array(strategy === 'tensor' ? 1 : zeros.length);
    const bytes = new Uint8Array(signed.buffer);
    await (strategy === 'tensor' ? zeroPoint.readRows(0, 1, bytes) : zeroPoint.readRows(firstRow, count, bytes));
    for (let i = 0; i < zeros.length; i++) zeros[i] = signed[strategy === 'tensor' ? 0 : i] + middle;
    return zeros;
  }
  // Down a column, codes follow each other; 2, 4 and 8 bits never lie in two words.
  const perWord = 32 / bits;
  const firstWord = Math.floor(firstRow / perWord);
  const words = new Uint32Array((Math.floor((firstRow + count - 1) / perWord) - firstWord + 1) * groups);
  await zeroPoint.readRows(firstWord, words.length / groups, new Uint8Array(words.buffer));
  for (let r = 0; r < count; r++) {
    const word = Math.floor((firstRow + r) / perWord) - firstWord;
    const shift = ((firstRow + r) % perWord) * bits;
    for (let g = 0; g < groups; g++) zeros[r * groups + g] = (words[word * groups + g] >>> shift) & (2 ** bits - 1);
  }
  return zeros;
}
