// Any checkpoint, whatever its weights are stored as, written with plain numbers of one type.
import { type DType, dtypeByName, rowBytes, TranscodePool } from '@quern/blocks';
import type { HfCheckpoint, TensorView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import type { HfFolder, HfWritten } from './hf-folder.ts';
import { planShards } from './plan-shards.ts';
import { type RecodeOptions, type RecodeReport, recodedTensor } from './recode-tensor.ts';
import { type WriteHfOptions, writeHfCheckpoint } from './write-hf-checkpoint.ts';

export type PlainType = 'F32' | 'F16' | 'BF16';

export type PlainCheckpoint = Pick<HfCheckpoint, 'path' | 'config' | 'tensors'> &
  Pick<HfFolder, 'sideFiles'> & {
    /** Tensors that stay F32 whatever type the others get. */
    readonly f32?: ReadonlySet<string>;
  };

export interface PlannedTensor {
  readonly view: TensorView;
  readonly to: DType;
  readonly bytes: number;
}

export interface PlainPlan {
  readonly type: PlainType;
  readonly tensors: readonly PlannedTensor[];
  readonly weights: number;
  /** Bytes of tensor data. */
  readonly bytes: number;
  /** Names of the weight files. */
  readonly files: readonly string[];
}

export interface PlainOptions
  extends Omit<WriteHfOptions, 'inputs'>,
    Pick<RecodeOptions, 'allowNonFinite' | 'onOverflow'> {
  /** Refuse to round a number. */
  strict?: boolean;
  /** Default: all. */
  threads?: number;
}

export interface PlainWritten extends HfWritten {
  /** Tensors without a rounded number, and numbers that are kept, of what this run wrote. */
  readonly exact: Count;
  /** Tensors with rounded numbers, and those numbers. */
  readonly rounded: Count;
  readonly ms: number;
}

interface Count {
  tensors: number;
  weights: number;
}

/** Integers and the like are no weights: they stay what they are. */
const isCounted = ({ name }: DType): boolean => !/^([IU]\d+|BOOL|C64|F64)$/.test(name);

/** @throws QuernError those of `planShards` */
export function planPlainCheckpoint(
  { path, tensors, f32 }: PlainCheckpoint,
  type: PlainType,
  maxShardBytes?: number,
): PlainPlan {
  const planned = [...tensors.values()].map((view): PlannedTensor => {
    const plain = dtypeByName(f32?.has(view.name) ? 'F32' : type)!;
    const to = isCounted(view.dtype) ? plain : view.dtype;
    return { view, to, bytes: view.rows * rowBytes(to, view.cols) };
  });
  const specs = planned.map(({ view: { name, shape }, to }) => ({ name, shape, dtype: to }));
  const { shards } = planShards(path, specs, maxShardBytes);
  return {
    type,
    tensors: planned,
    weights: planned.reduce((sum, { view }) => sum + view.rows * view.cols, 0),
    bytes: planned.reduce((sum, { bytes }) => sum + bytes, 0),
    files: shards.map(({ file }) => file),
  };
}

/**
 * @throws QuernError those of `writeHfCheckpoint` and `recodedTensor`, `refused-rounding`
 */
export async function writePlainCheckpoint(
  dir: string,
  checkpoint: PlainCheckpoint,
  plan: PlainPlan,
  options: PlainOptions = {},
): Promise<PlainWritten> {
  const startMs = performance.now();
  const { allowNonFinite = false, onOverflow = 'refuse', strict = false, threads } = options;
  const [exact, rounded]: [Count, Count] = [
    { tensors: 0, weights: 0 },
    { tensors: 0, weights: 0 },
  ];
  const onRecoded = (report: RecodeReport): void => {
    if (strict && report.rounded > 0) throw refusedRounding(report, checkpoint.path);
    (report.rounded > 0 ? rounded : exact).tensors++;
    rounded.weights += report.rounded;
    exact.weights += report.count - report.rounded;
  };
  const pool = await TranscodePool.create(threads === undefined ? {} : { threads });
  try {
    const tensors = plan.tensors.map(({ view, to }) =>
      recodedTensor(view, to, pool, { allowNonFinite, onOverflow, onRecoded }),
    );
    const folder = { tensors, config: checkpoint.config, sideFiles: checkpoint.sideFiles };
    const inputs = new Set(plan.tensors.map(({ view }) => view.file));
    const settings = { ...options.settings, allowNonFinite, onOverflow };
    const written = await writeHfCheckpoint(dir, folder, { ...options, inputs, settings });
    return { ...written, exact, rounded, ms: performance.now() - startMs };
  } finally {
    await pool.close();
  }
}

const refusedRounding = ({ name, from, to, rounded }: RecodeReport, file: string): QuernError =>
  new QuernError('refused-rounding', `${rounded} numbers of ${from.name} cannot be written exactly as ${to.name}.`, {
    file,
    tensor: name,
    remedy: 'Use --type f32, or leave --strict out.',
  });
