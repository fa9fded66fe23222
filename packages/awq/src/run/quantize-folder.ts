// A model in, a folder of packed weights out, one block at a time. What is finished is on the disk: a run that was stopped
// goes on behind the last finished block, for which it computes the residual streams again.
import { dtypeByName, TranscodePool } from '@quern/blocks';
import type { ModelView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import { type HfWriter, type HfWritten, openHfWriter, recodedTensor } from '@quern/hf-writer';
import { guessCheckpointType, hyperparameters } from '@quern/models';
import { type Packer, type PackOptions, packers } from '@quern/packed';
import type { Device } from '@quern/runtime';
import type { Grid } from '../grid/grid.ts';
import { embedTokens } from '../layer/embed-tokens.ts';
import { quantizedWeights, requireGroups } from '../layer/layer-pairs.ts';
import { readFloats } from '../layer/layer-weights.ts';
import { folderFiles } from '../output/folder-files.ts';
import { type FolderPlan, type PlainType, type PlannedTensor, planFolder } from '../output/folder-plan.ts';
import { encodePlain, inCheckpointOrder, reordered } from '../output/tensor-bytes.ts';
import { type Preflight, preflight } from './preflight.ts';
import { type LayerResult, type Method, passThrough, quantizeLayer } from './quantize-layer.ts';
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

export interface QuantizeHooks {
  readonly threads?: number;
  readonly force?: boolean;
  readonly signal?: AbortSignal;
  /** Told before any work. */
  readonly onPreflight?: (preflight: Preflight) => void;
  readonly onProgress?: (progress: { done: number; total: number; label: string }) => void;
  readonly onNote?: (text: string) => void;
  readonly onLayer?: (layer: Omit<LayerResult, 'quantized' | 'changed'>) => void;
}

export interface QuantizeSummary extends HfWritten {
  readonly quantizedTensors: number;
  readonly resumedBlocks: number;
  readonly layers: readonly Omit<LayerResult, 'quantized' | 'changed'>[];
}

/** Formats whose loaders compute in F16. The others keep the type of the checkpoint. */
const halfFormats = ['awq', 'gptq', 'gptq_v2', 'mlx'];

/**
 * @throws QuernError `pack-format-unknown`, `pack-unsupported`, `group-size-indivisible`, `model-too-large`,
 *   `quantize-non-finite`, `quantize-scale-overflow`, `gptq-not-positive`, `refused-f16-overflow`, and those of
 *   `openHfWriter`: `refused-output-exists`, `refused-other-settings`, `refused-disk-space`, `disk-full`
 */
export async function quantizeToFolder(
  view: ModelView,
  device: Device,
  dir: string,
  request: QuantizeRequest,
  hooks: QuantizeHooks = {},
): Promise<QuantizeSummary> {
  const packer = packerOf(request.format);
  const { blockCount } = hyperparameters(view);
  const blocks = Array.from({ length: blockCount }, (_, block) => block);
  requireGroups(
    blocks.flatMap((block) => quantizedWeights(view, block)),
    request.groupSize,
    view.path,
  );
  const method: Method =
    request.method.name === 'gptq' ? { ...request.method, freeGroups: packer.limits.actOrder } : request.method;
  const options = packOptions(request, method);
  const plain = halfFormats.includes(request.format) ? 'F16' : guessCheckpointType(view.tensors.values());
  const plan = planFolder(view, packer, options, plain);
  const config = packer.config(options, { packed: plan.packedModules, plain: plan.plainModules });
  const sequenceTokens = Math.max(0, ...request.sequences.map(({ length }) => length));
  const needs = await preflight({ view, device, method, sequences: request.sequences.length, sequenceTokens });
  hooks.onPreflight?.(needs);

  const writer = await openHfWriter(
    dir,
    { ...(await folderFiles(view, plain, config)), tensors: plan.specs },
    {
      settings: await settingsOf(view, request),
      inputs: new Set([...view.tensors.values()].map(({ file }) => file)),
      force: hooks.force,
      onNote: hooks.onNote,
    },
  );
  const output: Output = { writer, plan, packer, options, plain };
  try {
    await writeOutside(view, output, hooks);
    const grid: Grid = { ...request, leastZero: packer.limits.minZero };
    const done = await quantizeBlocks(
      { view, device, grid, method, sequences: request.sequences, hooks },
      output,
      blocks,
    );
    return { ...(await writer.finish()), ...done };
  } catch (error) {
    await writer.suspend().catch(() => {}); // what ended the run says more than what the end of it did
    throw error;
  }
}

interface Output {
  readonly writer: HfWriter;
  readonly plan: FolderPlan;
  readonly packer: Packer;
  readonly options: PackOptions;
  readonly plain: PlainType;
}

interface Blocks {
  readonly view: ModelView;
  readonly device: Device;
  readonly grid: Grid;
  readonly method: Method;
  readonly sequences: readonly Int32Array[];
  readonly hooks: QuantizeHooks;
}

function packerOf(format: string): Packer {
  const packer = packers.get(format);
  if (packer) return packer;
  throw new QuernError('pack-format-unknown', `There is no format ${JSON.stringify(format)}.`, {
    remedy: `Choose one of ${[...packers.keys()].join(', ')}.`,
  });
}

/** Scales are rounded to F16 before the codes are made; any other type would change them. */
const packOptions = ({ bits, groupSize, symmetric }: QuantizeRequest, method: Method): PackOptions => ({
  bits,
  groupSize,
  symmetric,
  scaleDType: 'F16',
  ...(method.name === 'gptq' && method.actOrder && method.freeGroups && { actOrder: true }),
});

async function settingsOf(
  view: ModelView,
  request: QuantizeRequest,
): Promise<Record<string, string | number | boolean>> {
  const { format, bits, groupSize, symmetric, sequences } = request;
  const { name: type, ...method } = request.method;
  const text = tokensIdentity(sequences);
  return { type, ...method, format, bits, groupSize, symmetric, calibration: text, model: await modelIdentity(view) };
}

/** Embedding, last norm and head. */
async function writeOutside(view: ModelView, { writer, plan, plain }: Output, { threads, signal }: QuantizeHooks) {
  const todo = plan.tensors.filter(({ block, names }) => block === undefined && !writer.finished.has(names[0]!));
  if (todo.length === 0) return;
  const pool = await TranscodePool.create({ threads });
  try {
    for (const { gguf, names } of todo) {
      const name = names[0]!;
      const tensor = recodedTensor({ ...view.tensors.get(gguf)!, name }, dtypeByName(plain), pool);
      await tensor.write({
        async write(bytes, offset) {
          signal?.throwIfAborted();
          await writer.write(name, bytes, offset);
        },
      });
    }
  } finally {
    await pool.close();
  }
  await writer.commit();
}

async function quantizeBlocks(run: Blocks, output: Output, blocks: readonly number[]) {
  const { view, device, grid, method, hooks } = run;
  const layers: Omit<LayerResult, 'quantized' | 'changed'>[] = [];
  const finished = blocks.filter((block) => isFinished(output, block));
  const last = Math.max(-1, ...blocks.filter((block) => !finished.includes(block)));
  const states = last < 0 ? [] : await embedTokens(view, run.sequences);
  let quantizedTensors = 0;
  for (const block of blocks) {
    hooks.onProgress?.({ done: block, total: blocks.length, label: `block ${block}` });
    const task = { view, device, block, grid, method, onStep: stepOf(hooks.signal) };
    quantizedTensors += quantizedWeights(view, block).length;
    if (finished.includes(block)) {
      if (block < last && states.length > 0) await passThrough(task, states);
      continue;
    }
    const { quantized, changed, ...layer } = await quantizeLayer(task, states);
    await writeBlock(view, block, { quantized, changed }, output);
    layers.push(layer);
    hooks.onLayer?.(layer);
  }
  hooks.onProgress?.({ done: blocks.length, total: blocks.length, label: 'done' });
  return { quantizedTensors, resumedBlocks: finished.length, layers };
}

/** The device computes on this thread: signals and timers of the process get their turn between two steps. */
const stepOf = (signal: AbortSignal | undefined) => async (): Promise<void> => {
  await new Promise((resolve) => setImmediate(resolve));
  signal?.throwIfAborted();
};

const partsOf = ({ packer, options }: Output, tensor: PlannedTensor): string[] =>
  tensor.names.flatMap((name) =>
    tensor.packed ? packer.tensorsOf(name, tensor.shape, options).map((part) => part.name) : [name],
  );

const isFinished = (output: Output, block: number): boolean =>
  output.plan.tensors
    .filter((tensor) => tensor.block === block)
    .every((tensor) => partsOf(output, tensor).every((name) => output.writer.finished.has(name)));

/** All tensors of a block, and then the note that they are there. */
async function writeBlock(
  view: ModelView,
  block: number,
  { quantized, changed }: Pick<LayerResult, 'quantized' | 'changed'>,
  { writer, plan, packer, options, plain }: Output,
): Promise<void> {
  for (const { gguf, names, shape, packed, permutedHeads } of plan.tensors.filter((tensor) => tensor.block === block)) {
    if (packed) {
      for (const [expert, name] of names.entries()) {
        const weight = inCheckpointOrder(quantized.get(gguf)![expert]!, permutedHeads);
        const parts = packer.pack(weight, options);
        for (const { part, name: partName } of packer.tensorsOf(name, shape, options))
          await writer.write(partName, parts.get(part)!);
      }
      continue;
    }
    const values = changed.get(gguf)?.values ?? (await readFloats(view.tensors.get(gguf)!));
    const rows = shape[0]!;
    const ordered = permutedHeads === undefined ? values : reordered(values, rows, values.length / rows, permutedHeads);
    await writer.write(names[0]!, encodePlain(ordered, plain, gguf));
  }
  await writer.commit();
}
