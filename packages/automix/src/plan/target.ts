// How large the result may be: a size of the file, the bits per weight of the tensor data, or the size of a fixed mixture.
import { QuernError } from '@quern/errors';
import { fileTypes, layoutOf, type Plan } from '@quern/kquant';

export type Target =
  /** Bytes of the whole file: metadata and padding too. */
  | { readonly kind: 'file'; readonly bytes: number }
  /** Bytes of tensor data × 8 ÷ weights. */
  | { readonly kind: 'bits'; readonly bitsPerWeight: number }
  /** The file that this file type would make. */
  | { readonly kind: 'like'; readonly fileType: string };

const units: Readonly<Record<string, number>> = {
  '': 1,
  K: 1e3,
  M: 1e6,
  G: 1e9,
  KI: 2 ** 10,
  MI: 2 ** 20,
  GI: 2 ** 30,
};

/**
 * `3.8G`, `700M`, `3.5GiB`, a plain number of bytes, or the name of a file type.
 * @throws QuernError `usage-target`
 */
export function parseTargetSize(text: string): Target {
  const upper = text.toUpperCase();
  const row = fileTypes.find(({ name, aliases }) => name === upper || aliases?.includes(upper));
  if (row && !row.copies) return { kind: 'like', fileType: row.name };
  const match = /^(\d+(?:\.\d+)?)(K|M|G|)(I?)B?$/.exec(upper);
  const bytes = match ? Math.floor(Number(match[1]) * (units[match[2]! + match[3]!] ?? Number.NaN)) : Number.NaN;
  if (Number.isSafeInteger(bytes) && bytes > 0) return { kind: 'file', bytes };
  throw new QuernError('usage-target', `'${text}' is no size.`, {
    remedy: 'Write bytes, 700M, 3.8G (powers of ten), 3.5GiB, or a file type such as Q4_K_M for the size that it has.',
  });
}

/** @throws QuernError `usage-target` */
export function parseTargetBits(text: string): Target {
  const bitsPerWeight = Number(text);
  if (/^[\d.]+$/.test(text) && bitsPerWeight > 0 && bitsPerWeight <= 32) return { kind: 'bits', bitsPerWeight };
  throw new QuernError('usage-target', `'${text}' is no number of bits per weight.`, { remedy: 'Write 4.5.' });
}

/** What a plan may not exceed, and how it is counted. */
export interface Budget {
  readonly bytes: number;
  readonly counts: 'file' | 'tensors';
}

/** @param planOf the plan of a file type */
export function budgetOf(target: Target, weights: number, planOf: (fileType: string) => Plan): Budget {
  if (target.kind === 'file') return { bytes: target.bytes, counts: 'file' };
  if (target.kind === 'bits') return { bytes: Math.floor((target.bitsPerWeight * weights) / 8), counts: 'tensors' };
  return { bytes: layoutOf(planOf(target.fileType)).fileBytes, counts: 'file' };
}

/** Bytes of a plan, as the budget counts them. */
export const sizeOf = (plan: Plan, { counts }: Budget): number =>
  counts === 'file' ? layoutOf(plan).fileBytes : plan.totals.bytesOut;

/** What one tensor adds to that: in a file, each is padded to the alignment. */
export function tensorSize(bytes: number, { counts }: Budget, alignment: number): number {
  return counts === 'file' ? Math.ceil(bytes / alignment) * alignment : bytes;
}
