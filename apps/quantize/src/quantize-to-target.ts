// quern quantize --target-bpw, --target-size: types per tensor, chosen by measuring.
import { dirname, join } from 'node:path';
import type { AutomixResult, MeasuredMixture, Target } from '@quern/automix';
import { type ModelView, withProvedForms } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import {
  checkQuantizing,
  checkWriteFlags,
  describeTensors,
  modelName,
  planConversion,
  planInputs,
  type QuantizeFlagValues,
  quantizeFlagsGiven,
  type WriteFlagValues,
  writeAndReport,
} from '@quern/kquant';
import { outputFile } from '@quern/source';
import {
  type CommandContext,
  createProgress,
  formatBytes,
  formatTable,
  parseCount,
  printLine,
  printNote,
  progressMode,
} from '@quern/terminal';
import { openInput } from './open-input.ts';
import type { TargetFlagValues } from './target-flags.ts';
import { type Automix, checkTarget, checkTargetOutputs, saveTypes, typesOf } from './target-outputs.ts';

export interface TargetOptions extends TargetFlagValues, QuantizeFlagValues, WriteFlagValues {
  output?: string;
  allowRequantize?: boolean;
  pre?: string;
}

/** @param ref a GGUF file, a checkpoint folder or a hub id */
export async function quantizeToTarget(
  ref: string,
  options: TargetOptions,
  context: CommandContext,
): Promise<number | undefined> {
  refuseTypeFlags(options);
  // It brings the forward pass with it, which other types do without.
  const automix = await import('@quern/automix');
  const target = targetOf(options, automix);
  const numbers = countsOf(options);
  checkWriteFlags(options);
  const output = await outputFile(options.output, `${modelName(ref)}-auto.gguf`);
  const { typesFile, sensitivity } = await checkTargetOutputs(output, options);
  const { view: opened, kind } = await openInput(ref, options, context);
  try {
    const view = await withProvedForms(opened);
    const converted = kind === 'hf' ? planConversion(view, 'auto') : undefined;
    const note = (text: string): void => printNote(text);
    const { contextTokens, chunks: count } = numbers;
    const chunks = await automix.chunksFor(view, { file: options.calibration, contextTokens, chunks: count }, note);
    // Measuring wants the importance matrix in a dry run too.
    const inputs = {
      ...{ fileType: 'Q8_0', output, outputsChecked: true, converted, ...context },
      allowRequantize: options.allowRequantize,
    };
    const planned = { target, output, planOptions: await checkQuantizing(view, inputs, options) };
    await checkTarget(view, planned, options, automix);
    const { options: planOptions, imatrix } = await planInputs(view, inputs, { ...options, dryRun: false });
    try {
      const journal = sensitivity ?? (await journalPath(view, output, chunks, planOptions.imatrix, automix));
      context.onUnfinished(journal);
      const { types, measure, everyLayers, trials, threads } = numbers;
      const result = await withProgress(options, (report) =>
        automix.chooseMixture(view, {
          ...{ target, planOptions, imatrix, chunks, journal, types, measured: measure, everyLayers, trials, threads },
          ...report,
          signal: context.signal,
        }),
      );
      if (!options.json) show(result, options);
      const facts = { automix: { ...factsOf(result), sensitivity: journal } };
      const writing = { ...options, title: 'quantize', imatrix, ...context, facts };
      const code = await writeAndReport(view, result.plan, output, writing);
      // Last: until then the same command goes on where it was stopped, and must not find the file in its way.
      if (typesFile !== undefined) await saveTypes(result, typesFile, automix);
      return code;
    } finally {
      await imatrix?.close();
    }
  } finally {
    await opened.close();
  }
}

function targetOf({ targetBpw, targetSize }: TargetOptions, automix: Automix): Target {
  if (targetBpw !== undefined && targetSize !== undefined)
    throw new QuernError('usage-target', '--target-bpw and --target-size are two ways to say how large: give one.');
  return targetBpw === undefined ? automix.parseTargetSize(targetSize!) : automix.parseTargetBits(targetBpw);
}

/** Flags that say what types tensors get, which is what will be found out. */
function refuseTypeFlags(options: TargetOptions): void {
  const harmless = new Set(['--imatrix', '--include-weights', '--exclude-weights', '--override-kv']);
  const [wrong] = quantizeFlagsGiven(options).filter((flag) => !harmless.has(flag));
  if (wrong)
    throw new QuernError('usage-target', `${wrong} does not go with a target: types are chosen by measuring.`, {
      remedy: 'Drop it; --types says which types may be chosen.',
    });
}

function countsOf(options: TargetOptions) {
  const { measure } = options;
  return {
    contextTokens: parseCount('--calibration-ctx', options.calibrationCtx, 1 << 20),
    chunks: parseCount('--calibration-chunks', options.calibrationChunks, 1 << 20),
    everyLayers: parseCount('--measure-layers', options.measureLayers, 1 << 16),
    trials: parseCount('--trials', options.trials, 10_000, 0),
    threads: parseCount('--threads', options.threads, 1024),
    types: typesOf(options.types),
    measure: measure === 'all' ? measure : measure === '1' ? 1 : 2,
  } as const;
}

/** Beside the output, named after everything that decides what is measured. */
async function journalPath(
  view: ModelView,
  output: string,
  chunks: readonly Int32Array[],
  imatrix: Parameters<Automix['settingsOf']>[2],
  automix: Automix,
): Promise<string> {
  const hash = automix.settingsHash(await automix.settingsOf(view, chunks, imatrix));
  return join(dirname(output), `${modelName(view.path)}.sensitivity-${hash.slice(0, 8)}.jsonl`);
}

async function withProgress<Result>(
  { json }: TargetOptions,
  work: (report: {
    onProgress: (step: 'errors' | 'sensitivity', state: { done: number; total: number; label: string }) => void;
    onNote: (text: string) => void;
  }) => Promise<Result>,
): Promise<Result> {
  const mode = progressMode({ json });
  const errors = createProgress({ title: 'squared errors', unit: 'weights', mode });
  const sensitivity = createProgress({ title: 'sensitivity', unit: 'tokens', mode });
  try {
    return await work({
      onProgress(step, state) {
        const progress = step === 'errors' ? errors : sensitivity;
        progress.update(state);
        if (state.done === state.total) progress.finish();
      },
      onNote: (text) => sensitivity.note(text),
    });
  } finally {
    errors.finish();
    sensitivity.finish();
  }
}

function show(result: AutomixResult, { dryRun }: TargetOptions): void {
  const { chosen, automatic, fixed, budget, plan } = result;
  // A dry run prints the tensors anyway.
  if (!dryRun) printLine(`${describeTensors(plan)}\n`);
  const row = ({ name, bytes, kld, error }: MeasuredMixture): string[] => [
    name === chosen.name ? `${name} (chosen)` : name,
    formatBytes(bytes),
    `${kld.toFixed(6)} ± ${error.toFixed(6)}`,
  ];
  const columns = [
    { header: 'mixture' },
    { header: budget.counts === 'file' ? 'file size' : 'tensor data', align: 'right' },
    { header: 'mean KLD', align: 'right' },
  ] as const;
  printLine(formatTable(columns, [automatic, ...fixed].map(row)));
  const target = `target ${formatBytes(budget.bytes)} (${budget.bytes - chosen.bytes} bytes left)`;
  const sum = `sum of sensitivities ${automatic.predicted.toFixed(6)}`;
  printLine('The KLD is that on the calibration text.');
  printLine(`${target}; ${sum}${chosen.name === 'auto' ? '' : `; ${chosen.name} is not worse, and is taken`}\n`);
}

function factsOf({ budget, chosen, automatic, fixed, sensitivities, plan }: AutomixResult) {
  return {
    budget,
    chosen,
    automatic,
    fixed,
    tensors: plan.tensors.flatMap(({ name, to, bytes }) => {
      const sensitivity = sensitivities.get(name);
      return sensitivities.has(name) ? [{ tensor: name, type: to.name, bytes, ...sensitivity }] : [];
    }),
  };
}
