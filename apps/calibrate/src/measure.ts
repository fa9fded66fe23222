// A model, as the user named it, measured on the texts that the options say.

import { basename } from 'node:path';
import { type CalibrationPlan, loadRecipe, type NamedMatrix, runCalibration } from '@quern/calibration';
import { locateCheckpoint } from '@quern/checkpoint';
import { openModel } from '@quern/models';
import { readInputFile } from '@quern/source';
import { type CommandContext, createProgress, downloadProgress, parseCount, progressMode } from '@quern/terminal';
import type { CalibrateCommandOptions } from './options.ts';
import type { Outcome } from './report.ts';

const defaultContextTokens = 512;

export async function measure(
  model: string,
  merge: readonly NamedMatrix[],
  output: string,
  options: CalibrateCommandOptions,
  context: CommandContext,
): Promise<Outcome> {
  const plan = await planOf(options);
  const threads = parseCount('--threads', options.threads, 1024);
  const saveEveryMs = 1000 * parseCount('--save-every', options.saveEvery, 86_400)!;

  const mode = progressMode(options);
  const download = downloadProgress(mode);
  const { path } = await locateCheckpoint(model, { ...context, ...download.watch });
  download.finish();
  const view = await openModel(path);
  const progress = createProgress({ title: 'calibrate', unit: 'tokens', mode });
  const startMs = performance.now();
  try {
    const { format, force } = options;
    const { matrix, resumedChunks } = await runCalibration(view, plan, output, {
      threads,
      format,
      force,
      merge,
      ...context,
      saveEveryMs,
      onNote: progress.note,
      onProgress: ({ tokensDone, tokens, chunksDone, chunks }) =>
        progress.update({ done: tokensDone, total: tokens, label: `chunk ${chunksDone} of ${chunks}` }),
    });
    progress.finish();
    return { matrix, output, resumedChunks, seconds: (performance.now() - startMs) / 1000 };
  } finally {
    await view.close();
  }
}

/** The recipe, with what the options say instead. */
async function planOf(options: CalibrateCommandOptions): Promise<CalibrationPlan> {
  const contextTokens = parseCount('--ctx-size', options.ctxSize, 1 << 20);
  const maxChunks = parseCount('--chunks', options.chunks, 1 << 30);
  const minimumRows = parseCount('--minimum-rows', options.minimumRows, 1 << 24);
  const { processOutput, parseSpecial } = options;
  if (options.text) {
    const texts = await Promise.all(options.text.map(readText));
    return {
      texts,
      contextTokens: contextTokens ?? defaultContextTokens,
      maxChunks,
      minimumRows,
      processOutput,
      parseSpecial,
    };
  }
  const { plan } = await loadRecipe(options.recipe ?? 'default');
  return {
    ...plan,
    contextTokens: contextTokens ?? plan.contextTokens,
    maxChunks: maxChunks ?? plan.maxChunks,
    minimumRows: minimumRows ?? plan.minimumRows,
    parseSpecial: parseSpecial ?? plan.parseSpecial,
    processOutput,
  };
}

async function readText(file: string) {
  return { name: basename(file), bytes: await readInputFile(file, 'text', 'text-unreadable') };
}
