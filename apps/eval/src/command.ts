// `quern eval`: several models, one text, one table. A model that fails does not lose the figures of the others.
import { readFile } from 'node:fs/promises';
import { QuernError } from '@quern/errors';
import {
  createProgress,
  exitCodeOf,
  exitCodes,
  exitForUsage,
  parseCount,
  printJson,
  printLine,
  progressMode,
  runCommand,
} from '@quern/terminal';
import { Command } from 'commander';
import { type EvaluateOptions, type Evaluation, evaluate, type Text } from './evaluate.ts';
import { evaluationTable } from './table.ts';

interface EvalOptions {
  text: string;
  ctx: string;
  chunks?: string;
  threads?: string;
  json?: boolean;
  quiet?: boolean;
}

/** What became of one model. */
export type Outcome = Evaluation | { model: string; failure: QuernError };

const examples = `
Examples:
  $ quern eval llama-bf16.gguf llama-Q4_K_M.gguf --text wiki.test.raw
  $ quern eval ./Llama-3.2-1B --text wiki.test.raw --chunks 20 --json

The method is llama-perplexity's: the text in chunks of --ctx tokens that do not overlap, the second half of each scored.
Size and bits per weight count the tensors. ± is one standard deviation.`;

export function evalCommand(): Command {
  return new Command('eval')
    .description('Perplexity of models on a text, as one table.')
    .argument('<models...>', 'GGUF files, checkpoint folders or hub ids')
    .requiredOption('-f, --text <file>', 'UTF-8 text to evaluate on')
    .option('-c, --ctx <tokens>', 'tokens per chunk', '512')
    .option('--chunks <count>', 'evaluate at most this many chunks')
    .option('-t, --threads <count>', 'CPU threads (default: all cores)')
    .option('--json', 'print one JSON document')
    .option('-q, --quiet', 'no progress')
    .addHelpText('after', examples)
    .exitOverride(exitForUsage)
    .action((models: string[], options: EvalOptions) =>
      runCommand(({ signal }) => runEval(models, options, signal), options),
    );
}

async function runEval(models: readonly string[], options: EvalOptions, signal: AbortSignal): Promise<number> {
  const numbers = {
    contextTokens: parseCount('--ctx', options.ctx, 1 << 20)!,
    maxChunks: parseCount('--chunks', options.chunks, 1 << 30),
    threads: parseCount('--threads', options.threads, 1024),
  };
  const text = await readText(options.text);
  const outcomes: Outcome[] = [];
  for (const model of models) {
    if (signal.aborted) break;
    const mode = progressMode(options);
    const progress = createProgress({ title: `eval ${model}`, unit: 'tokens', mode });
    outcomes.push(await outcomeOf(model, text, { ...numbers, signal, progress, progressMode: mode }));
  }
  const finished = signal.aborted ? outcomes.filter((outcome) => 'ppl' in outcome) : outcomes;
  if (options.json) printJson({ text: options.text, models: finished });
  else if (finished.length > 0) printLine(evaluationTable(finished));
  if (signal.aborted) return exitCodes.interrupted;
  const failed = outcomes.find((outcome) => 'failure' in outcome);
  return failed ? exitCodeOf(failed.failure) : exitCodes.ok;
}

async function outcomeOf(model: string, text: Text, options: EvaluateOptions): Promise<Outcome> {
  const { progress, signal } = options;
  try {
    const evaluation = await evaluate(model, text, options);
    progress.finish();
    return evaluation;
  } catch (error) {
    const failure = error instanceof QuernError ? error : new QuernError('internal', String(error), { cause: error });
    if (!signal.aborted) progress.note(`${model}: ${failure.describe()}`);
    return { model, failure };
  }
}

async function readText(file: string): Promise<Text> {
  try {
    return { file, bytes: await readFile(file) };
  } catch (cause) {
    throw new QuernError('text-unreadable', `The text cannot be read: ${(cause as Error).message}.`, { file, cause });
  }
}
