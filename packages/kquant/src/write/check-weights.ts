// Whether weights can be stored as planned. NaN and infinities spread through a model and mean that the checkpoint is
// broken; numbers beyond the range of F16 become infinite without a word in other converters.
//
// Nearly all weights are small, so a block is first scanned for numbers too large for F16 (which includes NaN and
// infinities) with integer tricks on two numbers at a time; only a block that has one is looked at number by number.
import { codecOf, type DType } from '@quern/blocks';
import { QuernError } from '@quern/errors';
import type { TensorPlan } from '../plan/plan.ts';
import type { RowBlock } from './row-blocks.ts';

export interface WeightPolicy {
  /** Write NaN and infinities as they come. */
  allowNonFinite?: boolean;
  /** `inf`: numbers beyond F16 become infinite, as in llama.cpp's converter. Default `refuse`. */
  onOverflow?: 'refuse' | 'inf';
}

/** For 32 bits at a time: `(word & mask) + carry` has a bit of `sign` exactly where a number is large. */
interface LargeScan {
  readonly mask: number;
  readonly carry: number;
  readonly sign: number;
}

// F16 and BF16 come two to a word; the sums stay below 2^16, so no carry crosses from one to the other.
const scans: Readonly<Record<string, LargeScan>> = {
  F32: { mask: 0x7fffffff, carry: 0x80000000 - 0x477ff000, sign: 0x80000000 }, // 65520, which rounds to infinity in F16
  BF16: { mask: 0x7fff7fff, carry: (0x8000 - 0x4780) * 0x10001, sign: 0x80008000 }, // 65536, the first above 65504
  F16: { mask: 0x7fff7fff, carry: 0x04000400, sign: 0x80008000 }, // infinities and NaN
};

/** False when every number is finite and fits F16 for certain. */
export function mayBeLarge(bytes: Uint8Array, dtype: DType): boolean {
  const scan = scans[dtype.name];
  if (scan === undefined || bytes.byteOffset % 4 !== 0 || bytes.length % 4 !== 0) return true;
  const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const { mask, carry } = scan;
  let seen = 0;
  for (let i = 0; i < words.length; i++) seen |= (words[i]! & mask) + carry;
  return (seen & scan.sign) !== 0;
}

/**
 * Looks at a block as read and as it will be written.
 * @throws QuernError `refused-non-finite`, `refused-f16-overflow`, naming tensor, row and how many
 */
export function checkWeights(
  block: RowBlock,
  input: Uint8Array,
  output: Uint8Array,
  file: string,
  policy: WeightPolicy,
): void {
  const { tensor } = block;
  if (!mayBeLarge(input, tensor.from)) return;
  const values = decode(input, tensor.from, block);
  const broken = find(values, (x) => !Number.isFinite(x));
  if (broken && !policy.allowNonFinite) {
    const row = block.firstRow + Math.floor(broken.first / tensor.cols);
    throw new QuernError(
      'refused-non-finite',
      `${broken.count} weights are NaN or infinite; the first is ${values[broken.first]} in row ${row}, column ${broken.first % tensor.cols}.`,
      {
        file,
        tensor: tensor.name,
        remedy: 'The checkpoint is damaged. To write it all the same, add --allow-non-finite.',
      },
    );
  }
  if (policy.onOverflow !== 'inf') checkOverflow(block, values, output, file);
}

/** Finite numbers that come back infinite do not fit the type, or its scales do not. */
function checkOverflow(block: RowBlock, values: Float32Array, output: Uint8Array, file: string): void {
  const { tensor } = block;
  const written = decode(output, tensor.to, block);
  const halves = tensor.via?.name === 'F16';
  const lost = find(
    values,
    (x, i) => Number.isFinite(x) && (!Number.isFinite(written[i]!) || (halves && overflowsF16(x))),
  );
  if (!lost) return;
  const row = block.firstRow + Math.floor(lost.first / tensor.cols);
  throw new QuernError(
    'refused-f16-overflow',
    `${lost.count} weights do not fit ${describeTarget(tensor)}; the first is ${values[lost.first]} in row ${row}. They would become infinite.`,
    {
      file,
      tensor: tensor.name,
      remedy: 'Use --type bf16 or f32; or write infinities, as llama.cpp does, with --on-overflow inf.',
    },
  );
}

const overflowsF16 = (x: number): boolean => Math.abs(x) >= 65520;

const describeTarget = ({ via, to }: TensorPlan): string => (via ? `${via.name} (on the way to ${to.name})` : to.name);

function decode(bytes: Uint8Array, dtype: DType, { rows, tensor }: RowBlock): Float32Array {
  const values = new Float32Array(rows * tensor.cols);
  codecOf(dtype).decode(bytes, values);
  return values;
}

function find(
  values: Float32Array,
  wanted: (x: number, i: number) => boolean,
): { first: number; count: number } | undefined {
  let first = -1;
  let count = 0;
  for (let i = 0; i < values.length; i++) {
    if (!wanted(values[i]!, i)) continue;
    if (first < 0) first = i;
    count++;
  }
  return count > 0 ? { first, count } : undefined;
}
