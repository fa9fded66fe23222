// --awq-scales: AWQ's scales folded into the checkpoint before it is converted.
import type { ModelView } from '@quern/checkpoint';
import {
  type CommandContext,
  createProgress,
  formatBytes,
  formatDuration,
  parseCount,
  progressMode,
} from '@quern/terminal';

export interface ScaleOptions {
  readonly awqScales?: string | true;
  readonly calibration?: string;
  readonly threads?: string;
  readonly json?: boolean;
}

export async function scaledModel(
  view: ModelView,
  output: string,
  options: ScaleOptions,
  context: CommandContext,
): Promise<ModelView> {
  // It brings the forward pass with it, which plain conversion does without.
  const { withScales } = await import('@quern/awq');
  const progress = createProgress({ title: 'awq scales', unit: 'layers', mode: progressMode(options) });
  return withScales(view, {
    scales: options.awqScales ?? true,
    output,
    ...context,
    threads: parseCount('--threads', options.threads, 1024),
    calibration: { file: options.calibration },
    onNote: progress.note,
    onProgress: progress.update,
    onPreflight: ({ hostBytes, deviceBytes, seconds }) =>
      progress.note(
        `memory ${formatBytes(hostBytes)} + ${formatBytes(deviceBytes)} on the device, about ${formatDuration(1000 * seconds)}`,
      ),
  }).finally(() => progress.finish());
}
