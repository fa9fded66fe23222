// Integer codes as blocks of ggml types. With d the scale and z the zero, a weight is (q − z) · d, so
//
//   Q4_0, Q5_0, Q8_0   hold q − z in −8 … 7, −16 … 15, −128 … 127: nothing is lost but what F16 makes of d
//   Q4_1, Q5_1         hold q, with m = −z · d, or MLX's offset, rounded to F16
//
// Scales stored as F16 need no proof; others are read when somebody asks (half-scales.ts).
//
// Blocks are 32 columns: groups must be whole blocks, in order. Layouts: ggml-common.h block_q4_0 … block_q8_0.
import { dtypeByName, f16ToF32, f32ToF16, rowBytes } from '@quern/blocks';
import { QuernError } from '@quern/errors';
import { areHalves } from './half-scales.ts';
import type { IntegerWeight } from './integer-weight.ts';
import type { ExactForm, GroupedRows } from './packed-weight.ts';
import { proveRange } from './proofs.ts';

const BLOCK = 32;
const HALF = 16;

interface BlockType {
  readonly name: string;
  /** Bits of a code. */
  readonly bits: number;
  /** Whether the block has an offset m beside d. */
  readonly affine: boolean;
}

const blockTypes: readonly BlockType[] = [
  { name: 'Q4_0', bits: 4, affine: false },
  { name: 'Q4_1', bits: 4, affine: true },
  { name: 'Q5_0', bits: 5, affine: false },
  { name: 'Q5_1', bits: 5, affine: true },
  { name: 'Q8_0', bits: 8, affine: false },
];

type ForPieces = (first: number, count: number, use: (piece: GroupedRows, at: number) => void) => Promise<void>;

/** The forms of one weight, the smallest first. */
export function ggmlForms(
  weight: IntegerWeight,
  bounds: { readonly name: string; readonly rows: number },
  forPieces: ForPieces,
): readonly ExactForm[] {
  const cols = weight.shape[weight.shape.length - 1];
  if (!weight.inOrder || weight.groupSize % BLOCK !== 0 || cols % BLOCK !== 0) return [];
  const storedAsHalves = weight.scaleParts.every(({ dtype }) => dtype.name === 'F16');
  let proof: Promise<boolean> | undefined;
  const provesSame = () => (proof ??= areHalves(weight.scaleParts));
  return typesFor(weight).map((type) => {
    const dtype = dtypeByName(type.name);
    const bytesPerRow = rowBytes(dtype, cols);
    const roundsOffset = type.affine && weight.shift === 'zeros';
    return {
      dtype,
      values: storedAsHalves && !roundsOffset ? 'same' : 'scales-rounded',
      ...(!storedAsHalves && !roundsOffset && { provesSame }),
      async readRows(firstRow, count, into) {
        proveRange(bounds, firstRow, count, into.length, bytesPerRow);
        await forPieces(firstRow, count, (piece, at) => {
          writeBlocks(type, piece, into.subarray(at * bytesPerRow, (at + piece.rows) * bytesPerRow), weight.name);
        });
      },
    };
  });
}

/** The smallest type that keeps q − z, and before it the smaller one that keeps q, if there is one. */
function typesFor({ bits, shift }: IntegerWeight): readonly BlockType[] {
  // q − z spans −2^(bits − 1) … when z is the middle, and one bit more when z may be any code.
  const signedBits = shift === 'middle' ? bits : bits + 1;
  const symmetric =
    shift === 'offsets' ? undefined : blockTypes.find((type) => !type.affine && type.bits >= signedBits);
  const affine = shift === 'middle' ? undefined : blockTypes.find((type) => type.affine && type.bits >= bits);
  return blockTypes.filter(
    (type) => type === symmetric || (type === affine && !(symmetric && symmetric.bits <= type.bits)),
  );
}

function writeBlocks(type: BlockType, piece: GroupedRows, bytes: Uint8Array, tensor: string): void {
  const { rows, cols, groupSize, codes, scales, zeros, offsets } = piece;
  const groups = scales.length / rows;
  const middle = 2 ** (piece.bits - 1);
  const toCode = type.bits === 8 ? 0 : 2 ** (type.bits - 1);
  let at = 0;
  for (let row = 0; row < rows; row++) {
    for (let first = 0; first < cols; first += BLOCK) {
      const g = row * groups + Math.floor(first / groupSize);
      const zero = zeros ? zeros[g] : middle;
      at = writeHalf(bytes, at, scales[g], tensor);
      if (type.affine) at = writeHalf(bytes, at, offsets ? offsets[g] : -zero * scales[g], tensor);
      at = writeCodes(type, codes, row * cols + first, type.affine ? 0 : toCode - zero, bytes, at);
    }
  }
}

/** Codes, each changed by `shift`, as a block has them; returns where the block ends. */
function writeCodes(
  { bits }: BlockType,
  codes: Uint8Array,
  from: number,
  shift: number,
  bytes: Uint8Array,
  at: number,
): number {
  if (bits === 8) {
    for (let j = 0; j < BLOCK; j++) bytes[at + j] = codes[from + j] + shift;
    return at + BLOCK;
  }
  let low = at;
  if (bits === 5) {
    let high = 0;
    for (let j = 0; j < BLOCK; j++) high |= ((codes[from + j] + shift) >> 4) << j;
    for (let j = 0; j < 4; j++) bytes[low++] = high >>> (8 * j);
  }
  for (let j = 0; j < HALF; j++) {
    bytes[low + j] = ((codes[from + j] + shift) & 15) | (((codes[from + HALF + j] + shift) & 15) << 4);
  }
  return low + HALF;
}

/** @throws QuernError `packed-scale-overflow` */
function writeHalf(bytes: Uint8Array, at: number, value: number, tensor: string): number {
  const half = f32ToF16(value);
  if (!Number.isFinite(f16ToF32(half))) {
    throw new QuernError('packed-scale-overflow', `A scale or offset of ${value} is too large for ggml's F16.`, {
      tensor,
      remedy: 'Quantize this tensor anew instead of keeping its codes.',
    });
  }
  bytes[at] = half;
  bytes[at + 1] = half >> 8;
  return at + 2;
}
