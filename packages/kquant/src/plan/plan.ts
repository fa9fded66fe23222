// A plan says everything about the file to be written before a byte of it exists: metadata, order, types, sizes.
import { type DType, rowBytes } from '@quern/blocks';
import type { GgufMetadata } from '@quern/gguf';
import type { Fallback } from './fallback.ts';
import type { PackedOrigin, PackedSource } from './packed-source.ts';

/** What happens to one tensor. Tensors stand in the order of the file to be written. */
export interface TensorPlan {
  readonly name: string;
  /** Row-major, innermost dimension last. */
  readonly shape: readonly number[];
  readonly rows: number;
  readonly cols: number;
  /** As the input stores it; of a packed weight the form of it that is read. */
  readonly from: DType;
  /** The input stores it packed. */
  readonly packed?: PackedOrigin;
  /**
   * Rounded to this first. Quantizing a checkpoint gives the bytes of converting it and quantizing the result, and that
   * intermediate file would have held this type.
   */
  readonly via?: DType;
  readonly to: DType;
  /** Its name in the input, where layers before it are left out. */
  readonly sourceName?: string;
  /**
   * `used`: an importance matrix steers it. `needed`: its type is garbage without one, and there is none for it.
   * `missing`: there is an importance matrix, but it does not know this tensor.
   */
  readonly importance?: 'used' | 'needed' | 'missing';
  /** Why this type, in words. */
  readonly rule: string;
  /** The mixture asked for another type, which the shape does not allow. */
  readonly fallback?: Fallback;
  /** Bytes in the file, padding not counted. */
  readonly bytes: number;
}

export interface PlanTotals {
  readonly weights: number;
  /** Tensor data as read from the input: packed weights count with their values or blocks. */
  readonly bytesIn: number;
  /** Tensor data as stored in the input. */
  readonly storedBytes: number;
  /** Tensor data in the output; metadata and padding not counted. */
  readonly bytesOut: number;
  /** `bytesOut × 8 ÷ weights`. */
  readonly bitsPerWeight: number;
  readonly fallbacks: number;
  /** Tensors by what `importance` says. */
  readonly importance: Readonly<Record<'used' | 'needed' | 'missing', number>>;
  /** By dtype of the output, in order of first use. */
  readonly byType: readonly { readonly type: string; readonly tensors: number; readonly bytes: number }[];
}

export interface Plan {
  /** `Q4_K_M`, `BF16`, … */
  readonly fileType: string;
  readonly metadata: GgufMetadata;
  readonly tensors: readonly TensorPlan[];
  readonly totals: PlanTotals;
  /** What a person should know, one sentence each. */
  readonly notes: readonly string[];
  /** The importance matrix that was given. */
  readonly imatrix?: string;
}

/** What a planner needs of a tensor; a `TensorView` has it all. */
export interface PlannedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly rows: number;
  readonly cols: number;
  readonly dtype: DType;
  readonly packed?: PackedSource;
}

/** A plan from its parts, sizes and totals added. */
export function completePlan(
  fileType: string,
  metadata: GgufMetadata,
  tensors: readonly Omit<TensorPlan, 'bytes'>[],
  notes: readonly string[] = [],
): Plan {
  const sized = tensors.map((tensor) => ({ ...tensor, bytes: tensor.rows * rowBytes(tensor.to, tensor.cols) }));
  return { fileType, metadata, tensors: sized, totals: totalsOf(sized), notes };
}

function totalsOf(tensors: readonly TensorPlan[]): PlanTotals {
  const byType = new Map<string, { type: string; tensors: number; bytes: number }>();
  let weights = 0;
  let bytesIn = 0;
  let storedBytes = 0;
  let bytesOut = 0;
  for (const { rows, cols, from, to, bytes, packed } of tensors) {
    weights += rows * cols;
    bytesIn += rows * rowBytes(from, cols);
    storedBytes += packed?.storedBytes ?? rows * rowBytes(from, cols);
    bytesOut += bytes;
    const line = byType.get(to.name) ?? { type: to.name, tensors: 0, bytes: 0 };
    byType.set(to.name, { ...line, tensors: line.tensors + 1, bytes: line.bytes + bytes });
  }
  return {
    weights,
    bytesIn,
    storedBytes,
    bytesOut,
    bitsPerWeight: weights === 0 ? 0 : (bytesOut * 8) / weights,
    fallbacks: tensors.filter((tensor) => tensor.fallback).length,
    importance: { used: count(tensors, 'used'), needed: count(tensors, 'needed'), missing: count(tensors, 'missing') },
    byType: [...byType.values()],
  };
}

const count = (tensors: readonly TensorPlan[], importance: TensorPlan['importance']): number =>
  tensors.filter((tensor) => tensor.importance === importance).length;

/** Name of the tensor in the input. */
export const sourceNameOf = ({ name, sourceName }: TensorPlan): string => sourceName ?? name;
