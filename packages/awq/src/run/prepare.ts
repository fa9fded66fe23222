// Everything about a run that can be known, and refused, before it begins.
import type { ModelView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import { guessCheckpointType, hyperparameters } from '@quern/models';
import { type Packer, type PackOptions, packers } from '@quern/packed';
import type { Device } from '@quern/runtime';
import type { Grid } from '../grid/grid.ts';
import { quantizedWeights, requireGroups } from '../layer/layer-pairs.ts';
import { type FolderPlan, type PlainType, planFolder } from '../output/folder-plan.ts';
import { type Needs, preflight } from './preflight.ts';
import type { Method } from './quantize-layer.ts';
import { modelIdentity, tokensIdentity } from './run-identity.ts';

export interface QuantizeRequest {
  /** Key of `packers`. */
  readonly format: string;
  readonly bits: number;
  readonly groupSize: number;
  readonly symmetric: boolean;
  readonly method:
    | { readonly name: 'awq'; readonly clip: boolean }
    | { readonly name: 'gptq'; readonly actOrder: boolean; readonly damp: number }
    | { readonly name: 'rtn' };
  /** Calibration tokens, one array per sequence; empty for `rtn`. */
  readonly sequences: readonly Int32Array[];
}

export interface Prepared {
  readonly packer: Packer;
  readonly options: PackOptions;
  readonly method: Method;
  readonly grid: Grid;
  readonly plain: PlainType;
  readonly plan: FolderPlan;
  readonly needs: Needs & { readonly outputBytes: number };
  /** What decides the numbers, for a run that goes on. */
  readonly settings: Readonly<Record<string, string | number | boolean>>;
}

/** Formats whose loaders compute in F16. The others keep the type of the checkpoint. */
const halfFormats = ['awq', 'gptq', 'gptq_v2', 'mlx'];

/** @throws QuernError `pack-format-unknown`, `pack-unsupported`, `group-size-indivisible`, `model-too-large` */
export async function prepare(view: ModelView, device: Device, request: QuantizeRequest): Promise<Prepared> {
  const { format, bits, groupSize, symmetric, sequences } = request;
  const packer = packerOf(format);
  const { blockCount } = hyperparameters(view);
  const blocks = Array.from({ length: blockCount }, (_, block) => block);
  requireGroups(
    blocks.flatMap((block) => quantizedWeights(view, block)),
    groupSize,
    view.path,
  );
  const freeGroups = packer.limits.actOrder;
  const method: Method = request.method.name === 'gptq' ? { ...request.method, freeGroups } : request.method;
  const hasOrder = method.name === 'gptq' && method.actOrder && freeGroups;
  // Scales are rounded to F16 before the codes are made; any other type would change them.
  const options = { bits, groupSize, symmetric, scaleDType: 'F16', ...(hasOrder && { actOrder: true }) };
  const plain = halfFormats.includes(format) ? 'F16' : guessCheckpointType(view.tensors.values());
  const plan = planFolder(view, packer, options, plain);
  const sequenceTokens = Math.max(0, ...sequences.map(({ length }) => length));
  const needs = await preflight({ view, device, method, sequences: sequences.length, sequenceTokens });
  const { name: type, ...rest } = request.method;
  const calibration = tokensIdentity(sequences);
  return {
    packer,
    options,
    method,
    grid: { bits, groupSize, symmetric, leastZero: packer.limits.minZero },
    plain,
    plan,
    needs: { ...needs, outputBytes: bytesOf(plan) },
    settings: { type, ...rest, format, bits, groupSize, symmetric, calibration, model: await modelIdentity(view) },
  };
}

function packerOf(format: string): Packer {
  const packer = packers.get(format);
  if (packer) return packer;
  throw new QuernError('pack-format-unknown', `There is no format ${JSON.stringify(format)}.`, {
    remedy: `Choose one of ${[...packers.keys()].join(', ')}.`,
  });
}

const bytesOf = ({ specs }: FolderPlan): number =>
  specs.reduce((sum, { dtype, shape }) => sum + shape.reduce((product, size) => product * size, dtype.typeSize), 0);
