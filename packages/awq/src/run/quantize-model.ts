// A model in, a folder of packed weights out, one block at a time. What is finished is on the disk: a run that was stopped
// goes on behind the last finished block, for which it computes the residual streams again.
import type { ModelView } from '@quern/checkpoint';
import { type HfWritten, openHfWriter } from '@quern/hf-writer';
import { hyperparameters, networkOf } from '@quern/models';
import { cpuDevice, type Device } from '@quern/runtime';
import { embedTokens } from '../layer/embed-tokens.ts';
import { folderFiles } from '../output/folder-files.ts';
import type { LayerResult } from './layer-task.ts';
import { type Prepared, prepare, type QuantizeRequest } from './prepare.ts';
import { passThrough, quantizeLayer } from './quantize-layer.ts';
import { type StepHooks, Steps } from './step.ts';
import { hasBlock, type Output, writeBlock, writeOutside } from './write-tensors.ts';
import { writtenBlock } from './written-block.ts';

/** What is said about a block when it is done. */
export type LayerReport = Omit<LayerResult, 'quantized' | 'changed'>;

export interface QuantizeHooks extends StepHooks {
  /** Default: what the machine has. The numbers do not depend on it. */
  readonly threads?: number;
  /** Told before any work. */
  readonly onPreflight?: (needs: Prepared['needs']) => void;
  readonly onNote?: (text: string) => void;
  /** Told of files that stay behind when the run is stopped, for the next one to go on with. */
  readonly onUnfinished?: (...paths: string[]) => void;
  readonly onLayer?: (layer: LayerReport) => void;
}

export interface QuantizeOptions extends QuantizeHooks {
  /** Replace an existing folder, and discard what another run left unfinished. */
  readonly force?: boolean;
  /** Only check and tell what it would take. */
  readonly dryRun?: boolean;
}

export interface QuantizeSummary extends HfWritten {
  readonly quantizedTensors: number;
  /** Blocks that an earlier run had finished. */
  readonly resumedBlocks: number;
  /** Blocks of this run. */
  readonly layers: readonly LayerReport[];
}

/**
 * Writes `dir` on the CPU device.
 * @returns undefined for a dry run
 * @throws QuernError those of `prepare`, `quantize-non-finite`, `quantize-scale-overflow`, `gptq-not-positive`,
 *   `refused-f16-overflow`, and those of `openHfWriter`: `refused-output-exists`, `refused-other-settings`,
 *   `refused-disk-space`, `disk-full`; the reason of `signal`
 */
export async function quantizeModel(
  view: ModelView,
  dir: string,
  request: QuantizeRequest,
  options: QuantizeOptions = {},
): Promise<QuantizeSummary | undefined> {
  const { threads } = options;
  const device = await cpuDevice(threads === undefined ? {} : { threads });
  try {
    return await quantizeOn(device, view, dir, request, options);
  } finally {
    await device.dispose();
  }
}

async function quantizeOn(
  device: Device,
  view: ModelView,
  dir: string,
  request: QuantizeRequest,
  options: QuantizeOptions,
): Promise<QuantizeSummary | undefined> {
  const prepared = await prepare(view, device, request);
  options.onPreflight?.(prepared.needs);
  for (const note of prepared.notes) options.onNote?.(note);
  if (options.dryRun) return undefined;
  const { plan, plain, packedConfig, kept } = prepared;
  const folder = { ...(await folderFiles(view, plain, packedConfig, kept)), tensors: plan.specs };
  const writer = await openHfWriter(dir, folder, {
    settings: prepared.settings,
    inputs: new Set([...view.tensors.values()].map(({ file }) => file)),
    force: options.force,
    onNote: options.onNote,
    onUnfinished: options.onUnfinished,
  });
  const output: Output = { ...prepared, writer };
  try {
    await writeOutside(output, options);
    const done = await quantizeBlocks(device, view, request, output, options);
    await writeDrafts(view, output, options.signal);
    return { ...(await writer.finish()), ...done };
  } catch (error) {
    await writer.suspend().catch(() => {}); // what ended the run says more than what the end of it did
    throw error;
  }
}

/** Draft blocks as they are. */
async function writeDrafts(view: ModelView, output: Output, signal: AbortSignal | undefined): Promise<void> {
  const { blocks, draft } = networkOf(view);
  for (const i of draft.keys()) {
    signal?.throwIfAborted();
    const block = blocks.length + i;
    if (!hasBlock(output, block)) await writeBlock(output, { block, quantized: new Map(), changed: new Map() });
  }
}

async function quantizeBlocks(
  device: Device,
  view: ModelView,
  { sequences }: QuantizeRequest,
  output: Output,
  hooks: QuantizeHooks,
) {
  const blocks = Array.from({ length: hyperparameters(view).blockCount }, (_, block) => block);
  const layers: LayerReport[] = [];
  const finished = new Set(blocks.filter((block) => hasBlock(output, block)));
  const last = blocks.findLast((block) => !finished.has(block)) ?? -1;
  const states = last < 0 ? [] : await embedTokens(view, sequences);
  const { method, grid } = output;
  const isFinished = (block: number): boolean => finished.has(block);
  const steps = new Steps(view, blocks, { method, sequences, isFinished }, hooks);
  for (const block of blocks) {
    steps.begin(block);
    const task = { view, device, block, grid, method, onStep: steps.step };
    if (finished.has(block)) {
      // GPTQ fits the blocks behind to what the quantized ones give, AWQ to what the model's give.
      if (block < last && states.length > 0)
        await passThrough(task, states, method.name === 'gptq' ? await writtenBlock(output, block) : new Map());
      continue;
    }
    const result = await quantizeLayer(task, states);
    await writeBlock(output, result);
    const { quantized, changed, ...layer } = result;
    layers.push(layer);
    hooks.onLayer?.(layer);
  }
  steps.begin(blocks.length);
  const quantizedTensors = output.plan.tensors.filter(({ packed }) => packed).length;
  return { quantizedTensors, resumedBlocks: finished.size, layers };
}
