// `quern logits`: the logits of every position of a list of token ids, as a safetensors file, for comparing engines.
import { dtypeByName } from '@quern/blocks';
import { QuernError } from '@quern/errors';
import {
  type AdapterOptions,
  type DeviceOptions,
  hyperparameters,
  loadOnDevices,
  type Model,
  type OpenedAdapters,
  type OverrideOptions,
  openAdapters,
  readAdapters,
  readDeviceRequest,
  readLoadOverride,
  sequenceLogits,
} from '@quern/models';
import { writeSafetensors } from '@quern/safetensors';
import { outputFile, readInputFile, requireOutputFile } from '@quern/source';
import {
  type CommandContext,
  createProgress,
  type Progress,
  printJson,
  printLine,
  progressMode,
} from '@quern/terminal';
import { openReference } from './open-reference.ts';
import { parseTokenIds, requireInVocabulary } from './token-ids.ts';

export interface LogitsOptions extends DeviceOptions, OverrideOptions, AdapterOptions {
  ids?: string;
  idsFile?: string;
  output?: string;
  force?: boolean;
  json?: boolean;
}

const usualOutput = 'logits.safetensors';

/** What the logits of one batch may occupy; a vocabulary of 128k takes half a megabyte per position. */
const logitsBudgetBytes = 64 * 2 ** 20;
const maxBatchTokens = 512;

export async function logits(name: string, options: LogitsOptions, context: CommandContext): Promise<undefined> {
  const request = readDeviceRequest(options);
  const override = readLoadOverride(options);
  const requested = readAdapters(options);
  const output = await outputFile(options.output, usualOutput);
  const { force, idsFile } = options;
  await requireOutputFile(output, { inputs: idsFile === undefined ? [] : [idsFile], force });
  const ids = await idsOf(options);
  const { view, adapters } = await openReference(name, context, options, override);
  const progress = createProgress({ title: 'logits', unit: 'tokens', total: ids.length, mode: progressMode(options) });
  let dispose = async (): Promise<void> => {};
  let opened: OpenedAdapters | undefined;
  try {
    opened = await openAdapters([...adapters, ...requested], view);
    const { vocabSize, contextLength } = hyperparameters(view);
    requireInVocabulary(ids, vocabSize);
    const inputs = new Set([...view.tensors.values()].map(({ file }) => file));
    await requireOutputFile(output, { inputs, size: 4 * ids.length * (vocabSize + 1), force });
    if (ids.length > contextLength) progress.note(`${ids.length} tokens; the model was trained on ${contextLength}.`);
    const loaded = await loadOnDevices(view, request, {
      batchTokens: Math.min(ids.length, maxBatchTokens),
      cells: ids.length,
      adapters: opened.adapters,
      maxOutputs: Math.max(1, Math.min(ids.length, Math.floor(logitsBudgetBytes / (4 * vocabSize)))),
    });
    ({ dispose } = loaded);
    progress.note(loaded.summary);
    await writeSafetensors(output, [
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
      printJson({ model: name, path: output, tokenCount: ids.length, vocabSize, devices });
    } else printLine(`${output}: logits of ${ids.length} positions × ${vocabSize} tokens`);
  } finally {
    await dispose();
    await opened?.close();
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
  const bytes = await readInputFile(idsFile, 'list of ids', 'ids-unreadable');
  return parseTokenIds(bytes.toString('utf8'), { file: idsFile });
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Int32Array | Float32Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);
