// `quern inspect`: what a model is, read from its headers alone.
import { type ModelView, storedBytes } from '@quern/checkpoint';
import type { GgufMetadata, GgufValue } from '@quern/gguf';
import { describeModel, type Experts, type ModelDescription } from '@quern/models';
import {
  type Column,
  type CommandContext,
  formatBits,
  formatBytes,
  formatCount,
  formatTable,
  printJson,
  printLine,
} from '@quern/terminal';
import { openReference } from './open-reference.ts';

export interface InspectOptions {
  tensors?: boolean;
  metadata?: boolean;
  json?: boolean;
}

export async function inspect(model: string, options: InspectOptions, context: CommandContext): Promise<undefined> {
  const view = await openReference(model, context, options);
  try {
    const description = describeModel(view);
    if (options.json) {
      const metadata = Object.fromEntries([...view.metadata].map(([key, value]) => [key, shown(value)]));
      printJson({ model, ...description, tensors: tensorList(view), metadata });
      return;
    }
    printLine(summary(model, description));
    printLine(`\n${typeTable(description)}`);
    if (options.metadata) printLine(`\n${metadataTable(view.metadata)}`);
    if (options.tensors) printLine(`\n${tensorTable(view)}`);
  } finally {
    await view.close();
  }
}

function summary(model: string, description: ModelDescription): string {
  const { hyperparameters: numbers, kvBytesPerToken: kv, tokenizer } = description;
  const attention = [
    `${numbers.headCount} heads of ${numbers.keyLength}`,
    `${numbers.headCountKv} KV heads`,
    ...(numbers.slidingWindow ? [`window ${numbers.slidingWindow}`] : []),
  ];
  const rope =
    numbers.ropeScaling.type === 'none' ? '' : `, ${numbers.ropeScaling.type} × ${numbers.ropeScaling.factor}`;
  const rows = [
    ['model', model],
    ['architecture', description.architecture],
    ['parameters', `${formatCount(description.parameters)} in ${description.tensorCount} tensors`],
    ['size', `${formatBytes(description.dataBytes)}, ${formatBits(description.bitsPerWeight)}`],
    ['context', `${numbers.contextLength} tokens`],
    ['layers', `${numbers.blockCount}, width ${numbers.embeddingLength}, feed-forward ${numbers.feedForwardLength}`],
    ...(numbers.experts ? [['experts', expertsText(numbers.experts)]] : []),
    ['attention', attention.join(', ')],
    ['rope', `base ${numbers.ropeFreqBase}${rope}`],
    ['KV cache', `${kv.f16} bytes per token in f16, ${formatBytes(kv.f16 * numbers.contextLength)} at full context`],
    [
      'tokenizer',
      `${tokenizer.model ?? 'none'}${tokenizer.pre ? ` (${tokenizer.pre})` : ''}, ${tokenizer.vocab} tokens`,
    ],
    ['chat template', description.chatTemplate ? 'yes' : 'no'],
  ];
  const width = Math.max(...rows.map(([name]) => name!.length));
  return rows.map(([name, value]) => `${name!.padEnd(width)}  ${value}`).join('\n');
}

function expertsText({ count, used, feedForwardLength, sharedFeedForwardLength: shared }: Experts): string {
  const routed = `${count}, ${used} per token, feed-forward ${feedForwardLength}`;
  return shared > 0 ? `${routed}, and one shared, feed-forward ${shared}` : routed;
}

function typeTable({ typeHistogram }: ModelDescription): string {
  const columns: Column[] = [
    { header: 'type' },
    { header: 'tensors', align: 'right' },
    { header: 'weights', align: 'right' },
    { header: 'bytes', align: 'right' },
  ];
  const rows = Object.entries(typeHistogram).map(([type, count]) => [
    type,
    String(count.tensors),
    formatCount(count.parameters),
    formatBytes(count.bytes),
  ]);
  return formatTable(columns, rows);
}

const tensorList = (view: ModelView) =>
  Array.from(view.tensors.values(), (tensor) => ({
    name: tensor.name,
    type: tensor.packed?.format ?? tensor.dtype.name,
    shape: tensor.shape,
    bytes: storedBytes(tensor),
  }));

function tensorTable(view: ModelView): string {
  const columns: Column[] = [
    { header: 'tensor' },
    { header: 'type' },
    { header: 'shape' },
    { header: 'bytes', align: 'right' },
  ];
  const rows = tensorList(view).map(({ name, type, shape, bytes }) => [
    name,
    type,
    `[${shape.join(', ')}]`,
    formatBytes(bytes),
  ]);
  return formatTable(columns, rows);
}

function metadataTable(metadata: GgufMetadata): string {
  const rows = [...metadata].map(([key, value]) => {
    const text = JSON.stringify(shown(value), (_, item) => (typeof item === 'bigint' ? String(item) : item));
    return [key, value.type, text.length > 100 ? `${text.slice(0, 99)}…` : text];
  });
  return formatTable([{ header: 'key' }, { header: 'type' }, { header: 'value' }], rows);
}

/** Arrays (the vocabulary has a hundred thousand entries) are shown by type and length. */
function shown(value: GgufValue): unknown {
  return value.type === 'array' ? { array: value.of, length: value.value.length } : value.value;
}
