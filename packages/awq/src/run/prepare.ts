// Everything about a run that can be known, and refused, before it begins.
import type { ModelView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import { architectureOf, guessCheckpointType, hyperparameters, networkOf } from '@quern/models';
import { type Making, type PackedConfig, type Packer, type PackOptions, packers } from '@quern/packed';
import type { Device } from '@quern/runtime';
import type { Grid } from '../grid/grid.ts';
import { outsideWeights, type QuantizedWeight, quantizedWeights, requireGroups } from '../layer/layer-pairs.ts';
import { keptConfig } from '../output/folder-files.ts';
import { type FolderPlan, type PlainType, planFolder } from '../output/folder-plan.ts';
import type { Method } from './layer-task.ts';
import { type Needs, preflight } from './preflight.ts';
import { modelIdentity, tokensIdentity } from './run-identity.ts';

export interface QuantizeRequest {
  /** Key of `packers`. */
  readonly format: string;
  readonly bits: number;
  readonly groupSize: number;
  /** Default: what the format's readers all load (`usuallySymmetric`). */
  readonly symmetric?: boolean;
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
  /** The checkpoint's config.json, where the folder keeps it. */
  readonly kept: Readonly<Record<string, unknown>> | undefined;
  /** What the folder's configuration says of the packing. */
  readonly packedConfig: PackedConfig;
  readonly needs: Needs & { readonly outputBytes: number };
  /** What a user should know before the work begins. */
  readonly notes: readonly string[];
  /** What decides the numbers, for a run that goes on. */
  readonly settings: Readonly<Record<string, string | number | boolean>>;
}

/** Formats whose loaders compute in F16. The others keep the type of the checkpoint. */
const halfFormats = ['awq', 'gptq', 'gptq_v2', 'mlx'];

/** @throws QuernError `pack-format-unknown`, `pack-unsupported`, `group-size-indivisible`, `model-too-large` */
export async function prepare(view: ModelView, device: Device, request: QuantizeRequest): Promise<Prepared> {
  const { format, bits, groupSize, sequences } = request;
  const packer = packerOf(format);
  const { symmetric = packer.usuallySymmetric } = request;
  const { blockCount } = hyperparameters(view);
  const blocks = Array.from({ length: blockCount }, (_, block) => block);
  const outside = packer.limits.embedding ? outsideWeights(view) : [];
  const weights = blocks.flatMap((block) => quantizedWeights(view, block));
  if (weights.length === 0) throw nothingToPack(view);
  requireGroups([...outside, ...weights], groupSize, view.path);
  const freeGroups = packer.limits.actOrder;
  const method: Method = request.method.name === 'gptq' ? { ...request.method, freeGroups } : request.method;
  const hasOrder = method.name === 'gptq' && method.actOrder && freeGroups;
  // Scales are rounded to F16 before the codes are made; any other type would change them.
  const options = { bits, groupSize, symmetric, scaleDType: 'F16', ...(hasOrder && { actOrder: true }) };
  const plain = halfFormats.includes(format) ? 'F16' : guessCheckpointType(view.tensors.values());
  const kept = await keptConfig(view);
  const plan = planFolder(view, kept, packer, options, plain);
  const sequenceTokens = Math.max(0, ...sequences.map(({ length }) => length));
  const needs = await preflight({ view, device, method, sequences: sequences.length, sequenceTokens });
  const { name: type, ...rest } = request.method;
  const calibration = tokensIdentity(sequences);
  return {
    packer,
    options,
    method,
    grid: {
      ...{ bits, groupSize, symmetric, leastZero: packer.limits.minZero },
      offsets: packer.limits.offsets && !symmetric,
    },
    plain,
    plan,
    kept,
    packedConfig: packer.config(options, { packed: plan.packedModules, plain: plan.plainModules }, makingOf(method)),
    needs: { ...needs, outputBytes: bytesOf(plan) },
    notes: [packer.remark?.(options), keptDrafts(view, plain), shortCalibration(weights, method, sequences)].filter(
      (note) => note !== undefined,
    ),
    settings: { type, ...rest, format, bits, groupSize, symmetric, calibration, model: await modelIdentity(view) },
  };
}

function nothingToPack(view: ModelView): QuernError {
  const { family, notPacked = 'quern does not know which of its weights share an input' } = architectureOf(view);
  return new QuernError(
    'pack-unsupported',
    `No folder of packed weights can be made of ${family} models: ${notPacked}.`,
    {
      file: view.path,
      remedy: 'Quantize to a GGUF type: quern quantize --type Q4_K_M.',
    },
  );
}

/** Each weight was fitted to what the quantized ones before it give: GPTQ alone does that. */
const makingOf = (method: Method): Making =>
  method.name === 'gptq' ? { trueSequential: true, damp: method.damp } : { trueSequential: false };

/** They read pairs of a hidden state and a token, which layer by layer nobody has; and they are small. */
function keptDrafts(view: ModelView, plain: PlainType): string | undefined {
  const { length: count } = networkOf(view).draft;
  if (count === 0) return undefined;
  const them = count === 1 ? 'The draft block (MTP) is' : `The ${count} draft blocks (MTP) are`;
  return `${them} written as ${plain}, not packed.`;
}

/**
 * GPTQ knows a row's inputs by their second moments: with few tokens for their number it fits what is accidental in them,
 * and may lose more than rounding does (docs/awq.md).
 */
const tokensPerColumn = 4;

function shortCalibration(
  weights: readonly QuantizedWeight[],
  { name }: Method,
  sequences: readonly Int32Array[],
): string | undefined {
  const tokens = sequences.reduce((sum, { length }) => sum + length, 0);
  const widest = weights.reduce((most, { cols }) => Math.max(most, cols), 0);
  if (name !== 'gptq' || tokens >= tokensPerColumn * widest) return undefined;
  return (
    `${tokens} calibration tokens are few for rows of ${widest} weights: GPTQ may lose more than rounding does. ` +
    `Give it at least ${tokensPerColumn * widest}: more --samples, a longer --seq-len, or more text.`
  );
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
