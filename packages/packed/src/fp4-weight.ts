// FP4 (E2M1) numbers with a narrow scale per block: MXFP4 and NVFP4, whoever wrote them.
// Source: OCP Microscaling Formats v1.0; NVIDIA ModelOpt modelopt/torch/quantization/qtensor/{mxfp4,nvfp4}_tensor.py.
//
//   codes    u8 [.., out, in / 2]    byte j holds weight 2j in its low and 2j + 1 in its high nibble
//   scales   MXFP4: E8M0 [.., out, in / 32], 2^(e − 127)     NVFP4: F8_E4M3 [.., out, in / 16]
//
//   w = FP4[code] · scale · tensorScale (NVFP4's, in f32), rounded once
//
// Code 8, minus zero, is read as zero, as ggml does.
import { dtypeByName, f8E4m3ToF32, rowBytes } from '@quern/blocks';
import type { ExactForm, PackedWeight } from './packed-weight.ts';
import { blocksOf, proveCols, proveDType, proveRange, proveRank, proveShape } from './proofs.ts';
import { powerOf, refuseScale } from './scales.ts';
import type { StoredTensor } from './stored-tensor.ts';

/** What a block of each kind is, here and in ggml, and what its scale means, byte by byte. */
const kinds = {
  MXFP4: {
    weights: 32,
    ggmlWeights: 32,
    scales: scaleTable(powerOf),
  },
  NVFP4: { weights: 16, ggmlWeights: 64, scales: scaleTable(f8E4m3ToF32) },
} as const;

function scaleTable(scaleOf: (byte: number) => number): Float32Array {
  return Float32Array.from({ length: 256 }, (_, byte) => scaleOf(byte));
}

const VALUES = Float32Array.of(0, 0.5, 1, 1.5, 2, 3, 4, 6, 0, -0.5, -1, -1.5, -2, -3, -4, -6);

export interface Fp4Weight {
  readonly name: string;
  readonly format: string;
  /** Also the ggml type with the same codes. */
  readonly kind: keyof typeof kinds;
  /** `[out, in]` or `[experts, out, in]`; proved to fit the tensors. */
  readonly shape: readonly number[];
  /** Rows of the weight follow each other in both, whatever their shapes. */
  readonly codes: StoredTensor;
  readonly scales: StoredTensor;
  readonly tensorScale?: number;
  readonly otherParts?: readonly string[];
}

const BATCH = 2 ** 20;

export function fp4Weight(source: Fp4Weight): PackedWeight {
  const { name, shape, codes, scales } = source;
  const kind = kinds[source.kind];
  const cols = shape[shape.length - 1];
  const rows = shape.slice(0, -1).reduce((product, size) => product * size, 1);
  const batchRows = Math.max(1, Math.floor(BATCH / cols));
  const blocks = cols / kind.weights;
  const half = kind.weights / 2;
  const factor = source.tensorScale ?? 1;

  /** Bytes of codes and of scales, in pieces of a bounded size. */
  const forPieces = async (
    first: number,
    count: number,
    use: (nibbles: Uint8Array, scaleBytes: Uint8Array, at: number, pieceRows: number) => void,
  ) => {
    for (let at = 0; at < count; at += batchRows) {
      const pieceRows = Math.min(batchRows, count - at);
      const nibbles = await readWeightRows(codes, rows, first + at, pieceRows);
      const scaleBytes = await readWeightRows(scales, rows, first + at, pieceRows);
      for (const byte of scaleBytes) {
        const scale = kind.scales[byte];
        if (!(scale >= 0) || Object.is(scale, -0)) refuseScale(scales, scale);
      }
      use(nibbles, scaleBytes, at, pieceRows);
    }
  };

  return {
    name,
    format: source.format,
    shape,
    parts: [codes.name, scales.name, ...(source.otherParts ?? [])],
    bits: 4,
    groupSize: kind.weights,
    async readRows(firstRow, count, into) {
      proveRange({ name, rows }, firstRow, count, into.length, cols);
      await forPieces(firstRow, count, (nibbles, scaleBytes, at) => {
        let next = at * cols;
        let byteAt = 0;
        for (let block = 0; block < scaleBytes.length; block++) {
          const scale = kind.scales[scaleBytes[block]];
          for (let j = 0; j < half; j++) {
            const byte = nibbles[byteAt++];
            into[next++] = VALUES[byte & 15] * scale * factor;
            into[next++] = VALUES[byte >> 4] * scale * factor;
          }
        }
      });
    },
    exact: cols % kind.ggmlWeights === 0 ? [ggmlForm()] : [],
  };

  function ggmlForm(): ExactForm {
    const dtype = dtypeByName(source.kind);
    const bytesPerRow = rowBytes(dtype, cols);
    return {
      dtype,
      values: 'same',
      ...(source.tensorScale !== undefined && { tensorScale: source.tensorScale }),
      async readRows(firstRow, count, into) {
        proveRange({ name, rows }, firstRow, count, into.length, bytesPerRow);
        await forPieces(firstRow, count, (nibbles, scaleBytes, at, pieceRows) => {
          const subBlocks = kind.ggmlWeights / kind.weights;
          for (let block = 0; block < pieceRows * blocks; block++) {
            const sub = block % subBlocks;
            const start = at * bytesPerRow + ((block - sub) / subBlocks) * dtype.typeSize;
            into[start + sub] = scaleBytes[block];
            const codesAt = start + subBlocks + sub * half;
            for (let j = 0; j < half; j++) {
              const low = nibbles[block * half + (j >> 1)];
              const high = nibbles[block * half + ((j + half) >> 1)];
              into[codesAt + j] = j & 1 ? (low >> 4) | (high & 0xf0) : (low & 15) | ((high & 15) << 4);
            }
          }
        });
      },
    };
  }
}

/** Rows of the weight from a tensor that stores each of them as one or more rows of its own. */
async function readWeightRows(tensor: StoredTensor, rows: number, first: number, count: number): Promise<Uint8Array> {
  const each = tensor.rows / rows;
  const bytes = new Uint8Array(count * each * tensor.rowBytes);
  await tensor.readRows(first * each, count * each, bytes);
  return bytes;
}

/** FP4 codes `[.., in / 2]` with a scale per `block`. */
export function proveFp4(codes: StoredTensor, scales: StoredTensor, block: number, scaleDTypes: readonly string[]) {
  proveRank(codes, 2, 3);
  proveDType(codes, 'U8');
  const cols = codes.cols * 2;
  proveCols(codes, cols);
  proveDType(scales, ...scaleDTypes);
  const leading = codes.shape.slice(0, -1);
  proveShape(scales, [...leading, blocksOf(codes, cols, block)], `blocks of ${block} in ${codes.name}`);
  return { shape: [...leading, cols], codes, scales };
}
