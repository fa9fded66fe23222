// `quern logits`: the logits of every position of a list of token ids, as a safetensors file, for comparing engines.
import { readFile } from 'node:fs/promises';
import { dtypeByName } from '@quern/blocks';
import { QuernError } from '@quern/errors';
import {
  type DeviceOptions,
  deviceFlags,
  hyperparameters,
  loadOnDevices,
  type Model,
  readDeviceRequest,
  sequenceLogits,
} from '@quern/models';
import { writeSafetensors } from '@quern/safetensors';
import {
  type CommandContext,
  createProgress,
  exitForUsage,
  type Progress,
  printJson,
  printLine,
  progressMode,
  runCommand,
} from '@quern/terminal';
import { Command, Option } from 'commander';
import { openReference } from './open-reference.ts';
import { parseTokenIds, requireInVocabulary } from './token-ids.ts';

interface LogitsOptions extends DeviceOptions {
  ids?: string;
  idsFile?: string;
  output: string;
  json?: boolean;
}

/** What the logits of one batch may occupy; a vocabulary of 128k takes half a megabyte per position. */
const logitsBudgetBytes = 64 * 2 ** 20;
const maxBatchTokens = 512;

const examples = `
Examples:
  $ quern logits llama.gguf --ids 1,15043,3186
  $ quern logits ./Llama-3.2-1B --ids-file prompt-ids.json -o llama-logits.safetensors

The file holds "logits" F32 [positions, vocabulary] and "input_ids" I32 [positions]. The ids are taken as they are: no BOS is
added. --device reference computes with the plain TypeScript reference (slow), to tell a kernel's fault from a model's.`;

export function logitsCommand(): Command {
  const command = new Command('logits')
    .description('Logits of every position, for comparing engines.')
    .argument('<model>', 'GGUF file, checkpoint folder or hub id')
    .addOption(new Option('--ids <list>', 'token ids, separated by commas').conflicts('idsFile'))
    .option('--ids-file <file>', 'token ids separated by spaces, commas or lines, or a JSON list')
    .option('-o, --output <file>', 'file to write', 'logits.safetensors')
    .option('--json', 'print one JSON document')
    .addHelpText('after', examples)
    .exitOverride(exitForUsage)
    .action((model: string, options: LogitsOptions) =>
      runCommand((context) => runLogits(model, options, context), options),
    );
  for (const [flags, description] of deviceFlags) command.option(flags, description);
  return command;
}

async function runLogits(name: string, options: LogitsOptions, context: CommandContext): Promise<undefined> {
  const request = readDeviceRequest(options);
  const ids = await idsOf(options);
  const view = await openReference(name, context, options);
  const progress = createProgress({ title: 'logits', unit: 'tokens', total: ids.length, mode: progressMode(options) });
  let dispose = async (): Promise<void> => {};
  try {
    const { vocabSize, contextLength } = hyperparameters(view);
    requireInVocabulary(ids, vocabSize);
    if (ids.length > contextLength) progress.note(`${ids.length} tokens; the model was trained on ${contextLength}.`);
    const loaded = await loadOnDevices(view, request, {
      batchTokens: Math.min(ids.length, maxBatchTokens),
      cells: ids.length,
      maxOutputs: Math.max(1, Math.min(ids.length, Math.floor(logitsBudgetBytes / (4 * vocabSize)))),
    });
    ({ dispose } = loaded);
    progress.note(loaded.summary);
    await writeSafetensors(options.output, [
      { name: 'input_ids', dtype: dtypeByName('I32'), shape: [ids.length], data: [bytesOf(ids)] },
      {
        name: 'logits',
        dtype: dtypeByName('F32'),
        shape: [ids.length, vocabSize],
        data: logitBytes(loaded.model, ids, progress, context.signal),
      },
    ]);
    progress.finish();
    if (options.json) {
      const devices = { summary: loaded.summary, ...loaded.model.placement };
      printJson({ model: name, file: options.output, positions: ids.length, vocabulary: vocabSize, devices });
    } else printLine(`${options.output}: logits of ${ids.length} positions × ${vocabSize} tokens`);
  } finally {
    await dispose();
    await view.close();
  }
}

async function* logitBytes(
  model: Model,
  ids: Int32Array,
  progress: Progress,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const { vocabSize } = model.hyperparameters;
  for await (const { first, logits } of sequenceLogits(model, ids)) {
    signal.throwIfAborted();
    yield bytesOf(logits);
    progress.update({ done: first + logits.length / vocabSize });
  }
}

async function idsOf({ ids, idsFile }: LogitsOptions): Promise<Int32Array> {
  if (ids !== undefined) return parseTokenIds(ids);
  if (idsFile === undefined) throw new QuernError('usage-no-ids', 'No token ids: give --ids or --ids-file.');
  const text = await readFile(idsFile, 'utf8').catch((cause: Error) => {
    throw new QuernError('ids-unreadable', `The ids cannot be read: ${cause.message}.`, { file: idsFile, cause });
  });
  return parseTokenIds(text, { file: idsFile });
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Int32Array | Float32Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);
