// `quern logits`: the logits of every position of a list of token ids, as a safetensors file, for comparing engines.
import { readFile } from 'node:fs/promises';
import { dtypeByName } from '@quern/blocks';
import { QuernError } from '@quern/errors';
import { hyperparameters, loadModel, type Model, sequenceLogits } from '@quern/models';
import { cpuDevice, type Device, referenceDevice, webgpuDevice } from '@quern/runtime';
import { writeSafetensors } from '@quern/safetensors';
import {
  createProgress,
  exitForUsage,
  type Progress,
  parseCount,
  printJson,
  printLine,
  progressMode,
  runCommand,
} from '@quern/terminal';
import { Command, Option } from 'commander';
import { openReference } from './open-reference.ts';
import { parseTokenIds, requireInVocabulary } from './token-ids.ts';

interface LogitsOptions {
  ids?: string;
  idsFile?: string;
  output: string;
  device: keyof typeof devices;
  threads?: string;
  json?: boolean;
}

/** What the logits of one batch may occupy; a vocabulary of 128k takes half a megabyte per position. */
const logitsBudgetBytes = 64 * 2 ** 20;
const maxBatchTokens = 512;

const devices = {
  cpu: (threads?: number): Promise<Device> => cpuDevice({ threads }),
  webgpu: (): Promise<Device> => webgpuDevice({ software: true }), // it was asked for by name
  reference: async (): Promise<Device> => referenceDevice(),
};

const examples = `
Examples:
  $ quern logits llama.gguf --ids 1,15043,3186
  $ quern logits ./Llama-3.2-1B --ids-file prompt-ids.json -o llama-logits.safetensors

The file holds "logits" F32 [positions, vocabulary] and "input_ids" I32 [positions]. The ids are taken as they are: no BOS is
added. --device reference computes with the plain TypeScript reference (slow), to tell a kernel's fault from a model's.`;

export function logitsCommand(): Command {
  return new Command('logits')
    .description('Logits of every position, for comparing engines.')
    .argument('<model>', 'GGUF file, checkpoint folder or hub id')
    .addOption(new Option('--ids <list>', 'token ids, separated by commas').conflicts('idsFile'))
    .option('--ids-file <file>', 'token ids separated by spaces, commas or lines, or a JSON list')
    .option('-o, --output <file>', 'file to write', 'logits.safetensors')
    .addOption(new Option('--device <name>', 'what computes').choices(Object.keys(devices)).default('cpu'))
    .option('-t, --threads <count>', 'CPU threads (default: all cores)')
    .option('--json', 'print one JSON document')
    .addHelpText('after', examples)
    .exitOverride(exitForUsage)
    .action((model: string, options: LogitsOptions) =>
      runCommand(({ signal }) => runLogits(model, options, signal), options),
    );
}

async function runLogits(name: string, options: LogitsOptions, signal: AbortSignal): Promise<undefined> {
  const threads = parseCount('--threads', options.threads, 1024);
  const ids = await idsOf(options);
  const view = await openReference(name, signal, options);
  const device = await devices[options.device](threads);
  const progress = createProgress({ title: 'logits', unit: 'tokens', total: ids.length, mode: progressMode(options) });
  try {
    const { vocabSize, contextLength } = hyperparameters(view);
    requireInVocabulary(ids, vocabSize);
    if (ids.length > contextLength) progress.note(`${ids.length} tokens; the model was trained on ${contextLength}.`);
    const model = await loadModel(view, device, {
      batchTokens: Math.min(ids.length, maxBatchTokens),
      cells: ids.length,
      maxOutputs: Math.max(1, Math.min(ids.length, Math.floor(logitsBudgetBytes / (4 * vocabSize)))),
    });
    await writeSafetensors(options.output, [
      { name: 'input_ids', dtype: dtypeByName('I32'), shape: [ids.length], data: [bytesOf(ids)] },
      {
        name: 'logits',
        dtype: dtypeByName('F32'),
        shape: [ids.length, vocabSize],
        data: logitBytes(model, ids, progress, signal),
      },
    ]);
    progress.finish();
    if (options.json) printJson({ model: name, file: options.output, positions: ids.length, vocabulary: vocabSize });
    else printLine(`${options.output}: logits of ${ids.length} positions × ${vocabSize} tokens`);
  } finally {
    await device.dispose();
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
