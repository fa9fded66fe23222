// Errors of single tensors, as `quern quantize --verify --json` prints them, for the report.
import { QuernError } from '@quern/errors';
import { readInputFile } from '@quern/source';
import { shortened } from '@quern/terminal';
import { escapeMarkup } from './markup.ts';

export interface TensorError {
  readonly tensor: string;
  /** Stored type. */
  readonly to: string;
  /** √(Σ(w - x)² / Σx²) */
  readonly relativeRmse: number;
}

export interface TensorErrors {
  /** The file that was written. */
  readonly model: string;
  readonly tensors: readonly TensorError[];
}

/** The JSON of the largest models has a few hundred kilobytes. */
const maxFileBytes = 64 * 2 ** 20;

/** @throws QuernError `tensor-errors-unreadable`, `tensor-errors-not-recognized` */
export async function readTensorErrors(file: string): Promise<TensorErrors> {
  const bytes = await readInputFile(file, 'file', 'tensor-errors-unreadable');
  const errors = bytes.length <= maxFileBytes ? parse(bytes.toString('utf8')) : undefined;
  if (errors) return errors;
  throw new QuernError('tensor-errors-not-recognized', 'The file holds no errors of tensors.', {
    file,
    remedy: 'Give what `quern quantize --verify --json` printed.',
  });
}

function parse(text: string): TensorErrors | undefined {
  try {
    const { path, verify } = JSON.parse(text) as { path?: unknown; verify?: { tensors?: unknown } };
    const tensors = verify?.tensors;
    return typeof path === 'string' && Array.isArray(tensors) && tensors.every(isTensorError)
      ? { model: path, tensors }
      : undefined;
  } catch {
    return undefined;
  }
}

const isTensorError = (value: unknown): value is TensorError => {
  const { tensor, to, relativeRmse } = (value ?? {}) as Record<string, unknown>;
  return typeof tensor === 'string' && typeof to === 'string' && Number.isFinite(relativeRmse);
};

const width = 720;
const left = 260;
const right = 70;
const lineHeight = 16;
/** What `left` has room for, beside the type. */
const tensorCharacters = 32;

/** A bar per tensor that lost something, in the order of the file. */
export function tensorErrorSvg({ model, tensors }: TensorErrors): string {
  const lossy = tensors.filter(({ relativeRmse }) => relativeRmse > 0);
  const most = Math.max(...lossy.map(({ relativeRmse }) => relativeRmse), Number.MIN_VALUE);
  const height = lineHeight * Math.max(1, lossy.length);
  const bars = lossy.map(({ tensor, to, relativeRmse }, i) => {
    const length = ((width - left - right) * relativeRmse) / most;
    const y = (i + 0.75) * lineHeight;
    return (
      `<text class="tick" x="${left - 8}" y="${y}" text-anchor="end">${escapeMarkup(`${shortened(tensor, tensorCharacters)}  ${to}`)}</text>` +
      `<rect class="bar" x="${left}" y="${y - 9}" width="${length.toFixed(1)}" height="10"/>` +
      `<text x="${(left + length + 6).toFixed(1)}" y="${y}">${Number(relativeRmse.toPrecision(3))}</text>`
    );
  });
  const label = escapeMarkup(`Errors of the tensors of ${model}`);
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${label}">\n${bars.join('\n')}\n</svg>`;
}
