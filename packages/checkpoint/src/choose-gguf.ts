// Which GGUF model of several is meant, told by the names of the files alone: so the same for a folder and for a listing
// of the hub. What is no model by its name and what is taken when nobody says are llama.cpp's rules (common/download.cpp),
// but that among several without Q4_K_M none is guessed.
import { QuernError } from '@quern/errors';
import type { ListedFile } from '@quern/source';
import { formatBytes, printable } from '@quern/terminal';

/** One model: a file, or all its splits. */
export interface GgufChoice {
  /** The file, or the first split. */
  readonly path: string;
  /** All files, in order. */
  readonly parts: readonly string[];
  /** Bytes of all files. */
  readonly size: number;
  /** `Q4_K_M`, as the name has it; undefined when it has none. */
  readonly quant?: string;
}

export interface GgufWish {
  /** `Q4_K_M`, in any case, or a file name without its folder. */
  readonly quant?: string;
  /** Folder or hub id, for messages. */
  readonly place: string;
  /** What a person types to get that file. */
  readonly spelling: (choice: GgufChoice, isOnlyOneOfItsQuant: boolean) => string;
}

const notModels = /mmproj|imatrix|(^|\/)[^/]*(mtp|eagle3|dflash|dspark)-[^/]*$/i;
const splitPattern = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/is;
// Types of ggml, and the names that people give to full precision; `UD-` is a family of mixtures.
const quantPattern = /(?:^|[-._/])((?:UD-)?(?:I?Q\d\w*|TQ\d_\w+|MXFP4\w*|NVFP4\w*|BF16|FP?16|FP?32))$/i;

/** Whether a file is a model by its name. */
export const isGgufModelName = (path: string): boolean => /\.gguf$/i.test(path) && !notModels.test(path);

/** The models among files, splits taken together; projectors, importance matrices and draft heads are none. */
export function ggufModels(files: readonly ListedFile[]): GgufChoice[] {
  const models = files.filter(({ path }) => isGgufModelName(path));
  const groups = new Map<string, ListedFile[]>();
  for (const file of models) {
    const [, prefix, , count] = splitPattern.exec(file.path) ?? [];
    const key = prefix === undefined ? file.path : `${prefix}\0${count}`;
    groups.set(key, [...(groups.get(key) ?? []), file]);
  }
  return [...groups.values()].map(choiceOf).sort((a, b) => a.size - b.size || (a.path < b.path ? -1 : 1));
}

/** The model that a file is, or is a split of, whatever its name says. */
export function ggufModelOf(path: string, files: readonly ListedFile[]): GgufChoice {
  const [, prefix, , count] = splitPattern.exec(path) ?? [];
  const isPart = (other: string): boolean => {
    const [, otherPrefix, , otherCount] = splitPattern.exec(other) ?? [];
    return prefix === undefined ? other === path : otherPrefix === prefix && otherCount === count;
  };
  return choiceOf(files.filter((file) => isPart(file.path)));
}

function choiceOf(files: readonly ListedFile[]): GgufChoice {
  const parts = files.map(({ path }) => path).sort();
  const path = parts[0]!;
  const stem = path.replace(/(-\d{5}-of-\d{5})?\.gguf$/i, '');
  // `Q8_0/model-00001-of-00002.gguf`: then the folder says it.
  const quant = (quantPattern.exec(stem) ?? quantPattern.exec(stem.slice(0, Math.max(0, stem.lastIndexOf('/')))))?.[1];
  const size = files.reduce((sum, file) => sum + file.size, 0);
  return { path, parts, size, ...(quant !== undefined && { quant }) };
}

/**
 * The model that is wished for; without a wish the only one, or the one that is Q4_K_M.
 * @returns undefined when there are no models; `note` says what was taken where there was a choice
 * @throws QuernError `checkpoint-ambiguous`, `checkpoint-no-such-quant`, `gguf-split-missing`
 */
export function chooseGguf(
  files: readonly ListedFile[],
  wish: GgufWish,
): { model: GgufChoice; note?: string } | undefined {
  const models = ggufModels(files);
  if (models.length === 0 && wish.quant === undefined) return undefined;
  const fitting = wish.quant === undefined ? usual(models) : ofQuant(models, wish.quant);
  const [model] = fitting;
  if (model !== undefined && fitting.length === 1) {
    requireAllParts(model, wish.place);
    if (models.length === 1) return { model };
    const what = `${model.quant === undefined ? '' : `${model.quant}, `}${formatBytes(model.size)}`;
    return { model, note: `of ${models.length} GGUF models in ${wish.place}: ${printable(model.path)} (${what})` };
  }
  if (model === undefined && wish.quant !== undefined) {
    const has = models.length === 0 ? 'has no GGUF files' : `has no GGUF file of the type ${printable(wish.quant)}`;
    throw new QuernError('checkpoint-no-such-quant', `${wish.place} ${has}.`, {
      file: wish.place,
      ...(models.length > 0 && { remedy: listOf(models, wish) }),
    });
  }
  const several = fitting.length > 0 ? fitting : models;
  throw new QuernError('checkpoint-ambiguous', `There are ${several.length} GGUF models in ${wish.place}.`, {
    file: wish.place,
    remedy: listOf(several, wish),
  });
}

function usual(models: readonly GgufChoice[]): readonly GgufChoice[] {
  return models.length === 1 ? models : models.filter(({ quant }) => quant?.toUpperCase() === 'Q4_K_M');
}

/** By the name of the type, else of a mixture called after it, else by any part of the name, as llama.cpp looks for it. */
function ofQuant(models: readonly GgufChoice[], wished: string): readonly GgufChoice[] {
  const wanted = wished.toLowerCase();
  const escaped = wanted.replaceAll(/[^\w]/g, '\\$&');
  const partOfName = new RegExp(`(^|[-._/])${escaped}(?=[-./])`, 'i');
  const tests: ((model: GgufChoice) => boolean)[] = [
    ({ quant, path }) => quant?.toLowerCase() === wanted || path.split('/').at(-1)!.toLowerCase() === wanted,
    ({ quant }) => quant?.toLowerCase() === `ud-${wanted}`,
    ({ path }) => partOfName.test(path),
  ];
  for (const test of tests) {
    const found = models.filter(test);
    if (found.length > 0) return found;
  }
  return [];
}

/** @throws QuernError `gguf-split-missing` */
export function requireAllParts({ parts, path }: GgufChoice, place: string): void {
  const count = Number(splitPattern.exec(path)?.[3] ?? 1);
  if (parts.length === count) return;
  throw new QuernError('gguf-split-missing', `${place} has ${parts.length} of the ${count} splits of the model.`, {
    file: path,
    remedy: 'Put all splits into one folder under their own names.',
  });
}

// Enough for the largest families of quants; a hostile listing can have thousands.
const maxListed = 60;

function listOf(models: readonly GgufChoice[], { spelling }: GgufWish): string {
  const count = (model: GgufChoice) =>
    models.filter(({ quant }) => quant !== undefined && quant.toLowerCase() === model.quant?.toLowerCase()).length;
  const rows = models
    .slice(0, maxListed)
    .map((model) => [printable(spelling(model, count(model) === 1)), formatBytes(model.size)]);
  const width = Math.max(...rows.map(([name]) => name!.length));
  const rest = models.length > maxListed ? `\n  and ${models.length - maxListed} more` : '';
  return `Give one of them:${rows.map(([name, size]) => `\n  ${name!.padEnd(width)}  ${size}`).join('')}${rest}`;
}
