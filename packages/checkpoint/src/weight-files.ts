// Which files of a folder hold the weights, told by their names alone: so the same for a folder and for a listing of the
// hub. Safetensors win where a folder has both kinds, as in transformers.
import { QuernError } from '@quern/errors';
import { torchWeights, torchWeightsPattern } from '@quern/torch';
import { isGgufModelName } from './choose-gguf.ts';

export interface WeightFiles {
  readonly container: 'safetensors' | 'torch';
  /** Of safetensors: the one file, or the name that shards and their index are called by. */
  readonly name: string;
  /** Names of all files that belong to them. */
  readonly pattern: RegExp;
}

const usual: WeightFiles = {
  container: 'safetensors',
  name: 'model.safetensors',
  pattern: /^model[^/]*\.safetensors(\.index\.json)?$/,
};
const torch: WeightFiles = { container: 'torch', name: 'pytorch_model.bin', pattern: torchWeightsPattern };

/** The weights under the names that transformers gives them. */
const hasUsualWeights = (names: readonly string[]): boolean => names.some((name) => usual.pattern.test(name));

/**
 * Weights under the usual names, else of torch.save, else under the one other name that there is, as older programs gave
 * them (`gptq_model-4bit-128g.safetensors`). Undefined when there are none.
 * @param place names the folder in errors
 * @throws QuernError `checkpoint-ambiguous` when several other names are there
 */
export function weightFiles(names: readonly string[], place: string): WeightFiles | undefined {
  if (hasUsualWeights(names)) return usual;
  if (names.some((name) => torchWeights.includes(name))) return torch;
  const others = otherNames(names);
  if (others.length > 1) {
    throw new QuernError('checkpoint-ambiguous', `The folder has weights of ${others.length} names.`, {
      file: place,
      remedy: `Keep one of them, or call it model.safetensors: ${others.join(', ')}.`,
    });
  }
  if (others[0] === undefined) return undefined;
  const stem = others[0].slice(0, -'.safetensors'.length).replaceAll(/[^\w]/g, '\\$&');
  return {
    container: 'safetensors',
    name: others[0],
    pattern: new RegExp(`^${stem}(-\\d{5}-of-\\d{5})?\\.safetensors(\\.index\\.json)?$`),
  };
}

/**
 * Whether files of these names are a checkpoint. GGUF files win over weights of unusual names, and over those of torch.save.
 * @throws QuernError `checkpoint-ambiguous`
 */
export const isCheckpoint = (names: readonly string[], place: string): boolean =>
  hasUsualWeights(names) || (!names.some(isGgufModelName) && weightFiles(names, place) !== undefined);

/** Names without the ending of an index, none of them of a shard, of an adapter, or in Mistral's own format. */
function otherNames(names: readonly string[]): readonly string[] {
  const files = names
    .map((name) => name.replace(/\.index\.json$/, ''))
    .filter((name) => /^[^/]+\.safetensors$/.test(name) && !/-\d{5}-of-\d{5}\./.test(name))
    .filter((name) => !/^(consolidated|adapter_)/.test(name));
  return [...new Set(files)].sort();
}
