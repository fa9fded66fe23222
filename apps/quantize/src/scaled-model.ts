// --awq-scales of quern quantize: AWQ's scales folded into the model before its weights become blocks of ggml types.
import type { ModelView } from '@quern/checkpoint';
import {
  checkQuantizing,
  convertedName,
  type Plan,
  planConversion,
  type QuantizeFlagValues,
  quantizedName,
  type WriteFlagValues,
} from '@quern/kquant';
import { outputFile } from '@quern/source';
import {
  type CommandContext,
  createProgress,
  formatBytes,
  formatDuration,
  parseCount,
  progressMode,
} from '@quern/terminal';

import { openInput } from './open-input.ts';

export interface ScaledModel {
  readonly view: ModelView;
  readonly output: string;
  /** Of a checkpoint folder. F32, so that nothing is rounded between scaling and quantizing. */
  readonly converted?: Plan;
}

export interface ScaledModelOptions extends QuantizeFlagValues, WriteFlagValues {
  readonly awqScales: string | true;
  readonly calibration?: string;
  readonly samples?: string;
  readonly seqLen?: string;
  readonly seed?: string;
  readonly output?: string;
  readonly keepSplit?: boolean;
  readonly allowRequantize?: boolean;
  readonly pre?: string;
}

/** @param ref a GGUF file, a checkpoint folder or a hub id; the view is the caller's to close */
export async function scaledModel(
  ref: string,
  fileType: string,
  options: ScaledModelOptions,
  context: CommandContext,
): Promise<ScaledModel> {
  const { keepSplit, allowRequantize } = options;
  const { withScales } = await import('@quern/awq');
  const mode = progressMode(options);
  const { path, kind, view } = await openInput(ref, options, context);
  const progress = createProgress({ title: 'awq scales', unit: 'layers', mode });
  try {
    const usual = kind === 'hf' ? convertedName(ref, fileType) : quantizedName(path, fileType);
    const output = await outputFile(options.output, usual);
    const converted = kind === 'hf' ? planConversion(view, 'F32') : undefined;
    await checkQuantizing(view, { fileType, output, converted, keepSplit, allowRequantize }, options);
    const scaled = await withScales(view, {
      scales: options.awqScales,
      output,
      ...context,
      threads: parseCount('--threads', options.threads, 1024),
      calibration: calibrationOf(options),
      onNote: progress.note,
      onProgress: progress.update,
      onPreflight: ({ hostBytes, deviceBytes, seconds }) =>
        progress.note(
          `memory ${formatBytes(hostBytes)} + ${formatBytes(deviceBytes)} on the device, about ${formatDuration(1000 * seconds)}`,
        ),
    });
    return { view: scaled, output, ...(kind === 'hf' && { converted: planConversion(scaled, 'F32') }) };
  } catch (error) {
    await view.close();
    throw error;
  } finally {
    progress.finish();
  }
}

/** What the flags say about the calibration text. */
export const calibrationOf = ({
  calibration,
  samples,
  seqLen,
  seed,
}: Pick<ScaledModelOptions, 'calibration' | 'samples' | 'seqLen' | 'seed'>) => ({
  file: calibration,
  samples: parseCount('--samples', samples, 1 << 20),
  sequenceTokens: parseCount('--seq-len', seqLen, 1 << 20),
  seed: parseCount('--seed', seed, 2 ** 32 - 1, 0),
});
