// Which files of a folder hold the weights, told by their names alone: so the same for a folder and for a listing of the
// hub. Safetensors win where a folder has both kinds, as in transformers; one file wins over an index, an index over shards.
import { QuernError } from '@quern/errors';
import { isGgufModelName } from './choose-gguf.ts';

/** Either all files, or an index that names them. */
export interface WeightFiles {
  readonly container: 'safetensors' | 'torch';
  readonly index?: string;
  /** In order; one, unless there are shards without an index. */
  readonly files?: readonly string[];
  /** What had to be decided, one sentence each, for people to see. */
  readonly notes?: readonly string[];
  /** Mistral's own: names and configuration (params.json) are in words of its own. */
  readonly dialect?: 'mistral';
  /** Nothing but the tensors in them can tell whether the files belong together. */
  readonly unrelatedNames?: boolean;
}

const usualSafetensors = /^model[^/]*\.safetensors(\.index\.json)?$/;
const mistralSafetensors = /^consolidated[^/]*\.safetensors(\.index\.json)?$/;
const usualTorch = /^pytorch_model[^/]*\.bin(\.index\.json)?$/;

/** The weights under the names that transformers gives them. */
const hasUsualWeights = (names: readonly string[]): boolean => names.some((name) => usualSafetensors.test(name));

/**
 * Weights under the usual names, else of torch.save, else safetensors of other names, as older programs gave them
 * (`gptq_model-4bit-128g.safetensors`), else Mistral's own `consolidated.safetensors`. Undefined when there are none.
 * @param place names the folder in errors
 * @throws QuernError `checkpoint-shard-missing`, `checkpoint-ambiguous`
 */
export function weightFiles(names: readonly string[], place: string): WeightFiles | undefined {
  const usual = names.filter((name) => usualSafetensors.test(name));
  if (usual.length > 0) return chosen('safetensors', usual, 'model.safetensors', place);
  const torch = names.filter((name) => usualTorch.test(name));
  if (torch.length > 0) return chosen('torch', torch, 'pytorch_model.bin', place);
  const others = names.filter(isOther);
  if (others.length === 0) {
    const own = names.filter((name) => mistralSafetensors.test(name));
    if (own.length === 0) return undefined;
    return { ...chosen('safetensors', own, 'consolidated.safetensors', place), dialect: 'mistral' };
  }
  const stems = new Set(others.map((name) => name.replace(/\.index\.json$/, '').replace(shardPlace, '.')));
  if (stems.size === 1) return chosen('safetensors', others, [...stems][0]!, place);
  const files = others.filter((name) => !name.endsWith('.index.json')).sort(byNumber);
  const alike = new Set(files.map((name) => name.replaceAll(/\d+/g, ''))).size === 1;
  return { container: 'safetensors', ...together(files), ...(!alike && { unrelatedNames: true }) };
}

/**
 * Whether files of these names are a checkpoint. GGUF files win over weights of unusual names, and over those of torch.save.
 * @throws QuernError those of `weightFiles`
 */
export const isCheckpoint = (names: readonly string[], place: string): boolean =>
  hasUsualWeights(names) || (!names.some(isGgufModelName) && weightFiles(names, place) !== undefined);

const shardPlace = /-\d+-of-\d+\./;

/** Not those of an adapter, nor Mistral's own. */
const isOther = (name: string): boolean =>
  /^[^/]+\.safetensors(\.index\.json)?$/.test(name) && !/^(consolidated|(\d+_)?adapters?[._])/.test(name);

/** One file of that name, else its index, else all the others. */
function chosen(
  container: WeightFiles['container'],
  names: readonly string[],
  whole: string,
  place: string,
): WeightFiles {
  if (names.includes(whole)) return { container, files: [whole] };
  const index = `${whole}.index.json`;
  if (names.includes(index)) return { container, index };
  const files = names.filter((name) => !name.endsWith('.index.json')).sort(byNumber);
  checkComplete(files, place);
  return { container, ...together(files) };
}

function together(files: readonly string[]): Pick<WeightFiles, 'files' | 'notes'> {
  if (files.length < 2) return { files };
  return { files, notes: [`no index names the files: all ${files.length} are read (${files.join(', ')})`] };
}

const byNumber = (a: string, b: string): number => a.localeCompare(b, 'en', { numeric: true });

/** `model-00002-of-00003.safetensors` says how many there are. */
function checkComplete(files: readonly string[], place: string): void {
  const shards = files.map((name) => /^(.*-)(\d+)-of-(\d+)(\..*)$/.exec(name)).filter((match) => match !== null);
  if (shards.length === 0) return;
  const sets = new Set(shards.map(([, begin, , count, end]) => `${begin}${count}${end}`));
  if (sets.size > 1) {
    throw new QuernError('checkpoint-ambiguous', `The folder has shards of ${sets.size} sets, and no index.`, {
      file: place,
      remedy: `Keep those of one model: ${files.join(', ')}.`,
    });
  }
  const [, begin, digits, count, end] = shards[0]!;
  // A name may promise any number: the message names a few of the missing.
  const present = new Set(shards.map(([, , number]) => Number(number)));
  const missing: string[] = [];
  for (let number = 1; number <= Number(count) && missing.length < 10; number++) {
    if (!present.has(number)) missing.push(`${begin}${String(number).padStart(digits!.length, '0')}-of-${count}${end}`);
  }
  if (missing.length === 0) return;
  const lacking = Number(count) - present.size;
  const more = lacking > missing.length ? ` and ${lacking - missing.length} more` : '';
  throw new QuernError(
    'checkpoint-shard-missing',
    `${lacking} of ${Number(count)} shards are missing: ${missing.join(', ')}${more}.`,
    { file: place, remedy: 'Fetch them into the folder.' },
  );
}
