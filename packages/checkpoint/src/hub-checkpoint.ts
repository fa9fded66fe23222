// Which files of a repository on the hub make up a checkpoint: its weights, whatever an index calls them, and what says how
// to read them.
import { QuernError } from '@quern/errors';
import { indexedFiles } from '@quern/safetensors';
import type { Repository } from '@quern/source';
import { torchIndexedFiles } from '@quern/torch';
import { carriedFiles, isChatTemplate, isModuleFile, isVocabularyFile } from './carried-files.ts';
import { weightFiles } from './weight-files.ts';

/** Fetched beside the weights. */
const sideFiles: ReadonlySet<string> = new Set([
  ...['config.json', 'hf_quant_config.json', 'quantize_config.json', 'quant_config.json'],
  ...['modules.json', 'preprocessor_config.json', 'processor_config.json'],
  ...carriedFiles,
]);

/**
 * Paths in the repository; of the files only an index is read.
 * @param folder of the repository, with a slash at the end, or empty
 * @param names of the files in it
 * @throws QuernError `checkpoint-shard-missing`, `checkpoint-ambiguous`, and those of `indexedFiles`
 */
export async function checkpointFiles(
  repository: Repository,
  folder: string,
  names: readonly string[],
): Promise<string[]> {
  const { repo } = repository;
  const weights = weightFiles(names, repo);
  if (weights?.unrelatedNames) {
    // Only their tensors tell whether they are one model: too late for a download.
    throw new QuernError('checkpoint-ambiguous', `The repository has weights of ${weights.files?.length} names.`, {
      file: repo,
      remedy: `Download those of one model (${weights.files?.join(', ')}), and give the folder.`,
    });
  }
  const wanted = new Set(weights?.files);
  if (weights?.index !== undefined) {
    const { container, index } = weights;
    const source = await repository.open(folder + index);
    try {
      for (const name of await (container === 'torch' ? torchIndexedFiles : indexedFiles)(source)) wanted.add(name);
    } finally {
      await source.close();
    }
    requirePresent([...wanted], names, index, repo);
    wanted.add(index);
  }
  return names.filter((name) => wanted.has(name) || isSideFile(name)).map((name) => folder + name);
}

const isSideFile = (name: string): boolean =>
  sideFiles.has(name) || isVocabularyFile(name) || isChatTemplate(name) || isModuleFile(name);

/** Known before gigabytes are fetched. */
function requirePresent(wanted: readonly string[], names: readonly string[], index: string, repo: string): void {
  const missing = wanted.filter((name) => !names.includes(name));
  if (missing.length === 0) return;
  throw new QuernError('checkpoint-shard-missing', `${index} names what the repository lacks: ${missing.join(', ')}.`, {
    file: repo,
    remedy: 'Tell the owner of the repository, or look for another revision.',
  });
}
