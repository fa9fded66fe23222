// The first page of `quern inspect`: what the files are, in a dozen lines.
import type { Hyperparameters, LayerNumber } from '@quern/models';
import { formatBits, formatBytes, formatCount, printable } from '@quern/terminal';
import { fileTypeName } from './file-type-name.ts';
import type { Subject, SubjectDescription } from './subject.ts';

/** @param ref as it was typed */
export async function summaryText(ref: string, { contents, description, notes }: Subject): Promise<string> {
  const { kind, architecture, name, license, base, fileType, tokenizer, tensorCount, dataBytes } = description;
  const { files } = contents;
  const bytesRead = contents.bytesRead();
  const rows: (readonly [name: string, value: string | undefined])[] = [
    ['model', ref],
    ['name', name],
    ['kind', kind === 'model' ? undefined : kind],
    ['architecture', architecture],
    ['base model', base],
    ['licence', license],
    ['file type', fileType === undefined ? undefined : await fileTypeName(fileType)],
    ['file size', `${formatBytes(description.fileBytes)}${files.length > 1 ? ` in ${files.length} files` : ''}`],
    [
      'tensor data',
      tensorCount > 0 ? `${formatBytes(dataBytes)}, ${formatBits(description.bitsPerWeight)}` : undefined,
    ],
    [
      kind === 'imatrix' ? 'values' : 'parameters',
      tensorCount > 0 ? `${formatCount(description.parameters)} in ${tensorCount} tensors` : 'no tensors',
    ],
    ...networkRows(description),
    ['tokenizer', tokenizerText(tokenizer)],
    ['chat template', tokenizer.vocab > 0 ? (description.chatTemplate ? 'yes' : 'no') : undefined],
    [
      'read',
      bytesRead === undefined ? undefined : `${formatBytes(bytesRead)} of ${formatBytes(description.fileBytes)}`,
    ],
  ];
  const shown = rows.filter((row): row is [string, string] => row[1] !== undefined);
  const width = Math.max(...shown.map(([title]) => title.length));
  const lines = shown.map(([title, value]) => `${title.padEnd(width)}  ${printable(value)}`);
  return [...lines, ...notes.map((note) => `note: ${printable(note)}`)].join('\n');
}

const tokenizerText = ({ model, pre, vocab }: SubjectDescription['tokenizer']): string | undefined =>
  model === undefined ? undefined : `${model}${pre === undefined ? '' : ` (${pre})`}, ${vocab} tokens`;

type Rows = (readonly [name: string, value: string | undefined])[];

function networkRows({ hyperparameters: numbers, kvBytesPerToken }: SubjectDescription): Rows {
  return kvBytesPerToken === undefined
    ? knownRows(numbers as Readonly<Record<string, LayerNumber>>)
    : modelRows(numbers as Hyperparameters, kvBytesPerToken.f16);
}

/** Of any architecture: what the files say, without knowing what it is for. */
function knownRows(numbers: Readonly<Record<string, LayerNumber>>): Rows {
  const row = (title: string, parts: readonly (readonly [before: string, key: string, after: string])[]) => {
    const given = parts.flatMap(([before, key, after]) =>
      numbers[key] === undefined ? [] : [`${before}${layerText(numbers[key])}${after}`],
    );
    return [title, given.length > 0 ? given.join(', ') : undefined] as const;
  };
  return [
    row('context', [['', 'contextLength', ' tokens']]),
    row('layers', [
      ['', 'blockCount', ''],
      ['width ', 'embeddingLength', ''],
      ['feed-forward ', 'feedForwardLength', ''],
    ]),
    row('experts', [
      ['', 'expertCount', ''],
      ['', 'expertUsedCount', ' per token'],
    ]),
    row('attention', [
      ['', 'headCount', ' heads'],
      ['', 'headCountKv', ' KV heads'],
      ['window ', 'slidingWindow', ''],
    ]),
  ];
}

/** One number for all layers, or the range that they are in. */
function layerText(value: LayerNumber): string {
  if (typeof value === 'number') return String(value);
  const [low, high] = [
    value.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY),
    value.reduce((a, b) => Math.max(a, b), 0),
  ];
  return low === high ? String(low) : `${low} to ${high} (by layer)`;
}

function modelRows(numbers: Hyperparameters, kvBytes: number): Rows {
  const { experts, ropeScaling, slidingWindow } = numbers;
  const attention = [
    `${numbers.headCount} heads of ${numbers.keyLength}`,
    `${numbers.headCountKv} KV heads`,
    ...(slidingWindow ? [`window ${slidingWindow}`] : []),
  ];
  const scaling = ropeScaling.type === 'none' ? '' : `, ${ropeScaling.type} × ${ropeScaling.factor}`;
  const { windowRopeFreqBase } = numbers;
  const windowBase = windowRopeFreqBase === undefined ? '' : `, of windows ${windowRopeFreqBase}`;
  const shared =
    experts && experts.sharedFeedForwardLength > 0
      ? `, and one shared, feed-forward ${experts.sharedFeedForwardLength}`
      : '';
  return [
    ['context', `${numbers.contextLength} tokens`],
    ['layers', `${numbers.blockCount}, width ${numbers.embeddingLength}, feed-forward ${numbers.feedForwardLength}`],
    [
      'experts',
      experts && `${experts.count}, ${experts.used} per token, feed-forward ${experts.feedForwardLength}${shared}`,
    ],
    ['attention', attention.join(', ')],
    ['rope', `base ${numbers.ropeFreqBase}${windowBase}${scaling}`],
    ['KV cache', `${kvBytes} bytes per token in f16, ${formatBytes(kvBytes * numbers.contextLength)} at full context`],
  ];
}
