// Reads what was written and what it was made of, and says how far one is from the other. The pool decodes both, some
// rows at a time: memory is 8 MiB per thread, whatever the size of the model.
import { dtypeByName, rowBytes, TranscodePool } from '@quern/blocks';
import { type ModelView, openGgufModel, type TensorView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import type { Plan, TensorPlan } from '../plan/plan.ts';
import { sourceView } from '../write/source-view.ts';
import type { WriteProgress } from '../write/write-model.ts';
import { addErrors, type ErrorFigures, type ErrorSums, figuresOf, noError, sumErrors } from './tensor-error.ts';

export interface TensorVerdict extends ErrorFigures {
  readonly tensor: string;
  /** Stored types, source and written. */
  readonly from: string;
  readonly to: string;
  readonly weights: number;
}

export interface VerifyOptions {
  threads?: number;
  pool?: TranscodePool;
  onProgress?: (progress: WriteProgress) => void;
  signal?: AbortSignal;
}

/** Weights of one step, in each of the two files. */
const stepWeights = 2 ** 20;

/**
 * @param plan what `path` was written by
 * @throws QuernError `verify-other-file` when the file is not what the plan says, `verify-copy-differs`, and those of
 *   reading
 */
export async function verifyModel(
  view: ModelView,
  plan: Plan,
  path: string,
  options: VerifyOptions = {},
): Promise<TensorVerdict[]> {
  const pool = options.pool ?? (await TranscodePool.create({ threads: options.threads }));
  const written = await openGgufModel(path);
  try {
    const steps = plan.tensors.flatMap((tensor) => stepsOf(tensor, pairOf(tensor, view, written, path)));
    await inLanes(steps, pool, options);
    return verdictsOf(plan, steps);
  } finally {
    await written.close();
    if (!options.pool) await pool.close();
  }
}

interface Pair {
  readonly source: TensorView;
  readonly result: TensorView;
}

interface Step extends Pair {
  readonly tensor: TensorPlan;
  readonly firstRow: number;
  readonly rows: number;
  sums?: ErrorSums;
}

function pairOf(tensor: TensorPlan, view: ModelView, written: ModelView, path: string): Pair {
  const source = sourceView(view, tensor);
  const result = written.tensors.get(tensor.name);
  if (result?.dtype === tensor.to && result.rows === tensor.rows && result.cols === tensor.cols)
    return { source, result };
  throw new QuernError('verify-other-file', `It should be ${tensor.to.name}, [${tensor.shape}].`, {
    file: path,
    tensor: tensor.name,
    remedy: 'Something else wrote to the file: write it again.',
  });
}

function stepsOf(tensor: TensorPlan, pair: Pair): Step[] {
  const rows = Math.max(1, Math.floor(stepWeights / Math.max(1, tensor.cols)));
  return Array.from({ length: Math.ceil(tensor.rows / rows) }, (_, i) => ({
    ...pair,
    tensor,
    firstRow: i * rows,
    rows: Math.min(rows, tensor.rows - i * rows),
  }));
}

async function inLanes(steps: readonly Step[], pool: TranscodePool, options: VerifyOptions): Promise<void> {
  const bytesOf = ({ tensor, rows }: Step) => rows * rowBytes(tensor.from, tensor.cols);
  const total = steps.reduce((sum, step) => sum + bytesOf(step), 0);
  const todo = steps.values();
  let done = 0;
  let failed = false;
  const lane = async (): Promise<void> => {
    for (const step of todo) {
      if (failed) return;
      options.signal?.throwIfAborted();
      step.sums = step.tensor.from === step.tensor.to ? await compareBytes(step) : await compareWeights(step, pool);
      done += bytesOf(step);
      options.onProgress?.({ done, total, tensor: step.tensor.name });
    }
  };
  const lanes = Array.from({ length: pool.threads + 1 }, () =>
    lane().catch((error) => {
      failed = true;
      throw error;
    }),
  );
  for (const outcome of await Promise.allSettled(lanes)) if (outcome.status === 'rejected') throw outcome.reason;
}

/** Copied tensors must be equal; some of them are no numbers that could be decoded. */
async function compareBytes({ source, result, firstRow, rows, tensor }: Step): Promise<ErrorSums> {
  const [before, after] = await Promise.all(
    [source, result].map(async (view) => {
      const bytes = new Uint8Array(rows * view.rowBytes);
      await view.readRows(firstRow, rows, bytes);
      return bytes;
    }),
  );
  if (Buffer.compare(before!, after!) === 0) return noError();
  throw new QuernError('verify-copy-differs', 'The bytes of a copied tensor differ from the source.', {
    file: result.file,
    tensor: tensor.name,
    offset: result.offset,
    remedy: 'Write the file again; if it happens again, look at the disk.',
  });
}

async function compareWeights({ source, result, firstRow, rows }: Step, pool: TranscodePool): Promise<ErrorSums> {
  const [before, after] = await Promise.all([source, result].map((view) => decode(view, firstRow, rows, pool)));
  return sumErrors(before!, after!);
}

const f32 = dtypeByName('F32');

async function decode(view: TensorView, firstRow: number, rows: number, pool: TranscodePool): Promise<Float32Array> {
  const { cols, dtype, rowBytes: stored } = view;
  const values = new Float32Array(rows * cols);
  const bytes = new Uint8Array(values.buffer);
  await pool.transcode(
    { from: dtype, to: f32, rows, cols },
    async (into, piece) => {
      if (piece.cols === cols) return view.readRows(firstRow + piece.row, piece.rows, into);
      const whole = new Uint8Array(stored);
      await view.readRows(firstRow + piece.row, 1, whole);
      const begin = piece.sourceOffset - piece.row * stored;
      into.set(whole.subarray(begin, begin + into.length));
    },
    (out, piece) => bytes.set(out, piece.targetOffset),
  );
  return values;
}

function verdictsOf(plan: Plan, steps: readonly Step[]): TensorVerdict[] {
  const sums = new Map(plan.tensors.map(({ name }) => [name, noError()]));
  for (const step of steps) addErrors(sums.get(step.tensor.name)!, step.sums!);
  return plan.tensors.map(({ name, from, to, rows, cols }) => ({
    tensor: name,
    from: from.name,
    to: to.name,
    weights: rows * cols,
    ...figuresOf(sums.get(name)!),
  }));
}

/** Worse than writing zeros. */
export const defaultBound = 1;

/**
 * @param bound of the relative RMSE
 * @throws QuernError `refused-verify` (exit 3) naming the worst tensor
 */
export function refuseErrors(verdicts: readonly TensorVerdict[], bound: number, file: string): void {
  const bad = verdicts.filter(({ relativeRmse, nonFinite }) => nonFinite > 0 || !(relativeRmse <= bound));
  if (bad.length === 0) return;
  const rank = ({ relativeRmse }: TensorVerdict): number =>
    Number.isNaN(relativeRmse) ? Number.POSITIVE_INFINITY : relativeRmse;
  const worst = bad.reduce((a, b) => (rank(b) > rank(a) ? b : a));
  const why =
    worst.nonFinite > 0
      ? `${worst.nonFinite} of its weights are not finite`
      : `its relative RMSE is ${worst.relativeRmse.toPrecision(3)}, above ${bound}`;
  throw new QuernError(
    'refused-verify',
    `${bad.length} of ${verdicts.length} tensors are no good; the worst: ${why}.`,
    {
      file,
      tensor: worst.tensor,
      remedy: 'Choose a type with more bits, use an importance matrix, or state another bound: --verify BOUND.',
    },
  );
}
