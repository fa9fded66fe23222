// The clip search (AutoAWQ quantizer.py _compute_best_clip): for every group of a row the largest magnitude is lowered in
// ten steps, max · (1 − i/20), and the one is kept whose quantized weights give the products closest to the unquantized:
//   error = mean over sampled inputs x of ((q(clamp(w)) − w) · x)² = dᵀ G d,   G = mean x xᵀ over the group's columns
import type { Device } from '@quern/runtime';
import { type Grid, pseudoQuantize } from '../grid/grid.ts';
import { gramErrors } from '../layer/gram.ts';

const steps = 10;
const stepsToZero = 20;

export interface ClipTask {
  /** [rows, cols] */
  readonly weights: Float32Array;
  readonly cols: number;
  /** Sampled inputs, [cols] each, as they meet these weights. */
  readonly sample: readonly Float32Array[];
  readonly grid: Grid;
}

export interface Clip {
  /** [rows, groups] largest magnitude to be kept. */
  readonly limits: Float32Array;
  /** Sum over rows and groups of the error, at the limits and without clipping. */
  readonly error: number;
  readonly unclippedError: number;
}

export async function searchClip(device: Device, { weights, cols, sample, grid }: ClipTask): Promise<Clip> {
  const { groupSize } = grid;
  const rows = weights.length / cols;
  const groups = cols / groupSize;
  const limits = new Float32Array(rows * groups);
  let error = 0;
  let unclippedError = 0;
  for (let group = 0; group < groups; group++) {
    const panel = groupPanel(weights, rows, cols, group, groupSize);
    const gram = groupGram(sample, group, groupSize);
    const largest = largestOf(panel, rows, groupSize);
    const best = new Float64Array(rows).fill(Infinity);
    for (let step = 0; step < steps; step++) {
      const share = Math.fround(1 - step / stepsToZero);
      const tried = largest.map((most) => most * share);
      const deltas = clampedTo(panel, tried, groupSize);
      pseudoQuantize(deltas, grid);
      for (let i = 0; i < deltas.length; i++) deltas[i]! -= panel[i]!;
      const errors = await gramErrors(device, deltas, gram, groupSize);
      for (let row = 0; row < rows; row++) {
        if (step === 0) unclippedError += errors[row]!;
        if (!(errors[row]! < best[row]!)) continue;
        best[row] = errors[row]!;
        limits[row * groups + group] = tried[row]!;
      }
    }
    for (const least of best) error += least;
  }
  return { limits, error, unclippedError };
}

/** In place. */
export function applyClip(weights: Float32Array, limits: Float32Array, groupSize: number): void {
  for (let i = 0; i < weights.length; i++) {
    const limit = limits[Math.floor(i / groupSize)]!;
    weights[i] = Math.max(-limit, Math.min(limit, weights[i]!));
  }
}

/** The columns of one group, [rows, groupSize]. */
function groupPanel(weights: Float32Array, rows: number, cols: number, group: number, groupSize: number): Float32Array {
  const panel = new Float32Array(rows * groupSize);
  for (let row = 0; row < rows; row++) {
    const from = row * cols + group * groupSize;
    panel.set(weights.subarray(from, from + groupSize), row * groupSize);
  }
  return panel;
}

/** Mean x xᵀ over the sample, of the columns of one group. */
function groupGram(sample: readonly Float32Array[], group: number, groupSize: number): Float32Array {
  const sums = new Float64Array(groupSize * groupSize);
  for (const row of sample) {
    const x = row.subarray(group * groupSize, (group + 1) * groupSize);
    for (let i = 0; i < groupSize; i++) {
      const xi = x[i]!;
      for (let j = 0; j <= i; j++) sums[i * groupSize + j]! += xi * x[j]!;
    }
  }
  const gram = new Float32Array(groupSize * groupSize);
  for (let i = 0; i < groupSize; i++)
    for (let j = 0; j <= i; j++)
      gram[i * groupSize + j] = gram[j * groupSize + i] = sums[i * groupSize + j]! / sample.length;
  return gram;
}

/** Of each row. */
function largestOf(panel: Float32Array, rows: number, groupSize: number): Float32Array {
  const largest = new Float32Array(rows);
  for (let row = 0, i = 0; row < rows; row++) {
    let most = 0;
    for (const end = i + groupSize; i < end; i++) most = Math.max(most, Math.abs(panel[i]!));
    largest[row] = most;
  }
  return largest;
}

function clampedTo(panel: Float32Array, limits: Float32Array, groupSize: number): Float32Array {
  const clamped = new Float32Array(panel.length);
  for (let row = 0, i = 0; row < limits.length; row++) {
    const limit = limits[row]!;
    for (const end = i + groupSize; i < end; i++) {
      const w = panel[i]!;
      clamped[i] = w > limit ? limit : w < -limit ? -limit : w;
    }
  }
  return clamped;
}
