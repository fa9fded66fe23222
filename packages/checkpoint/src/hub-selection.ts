// What of a repository on the hub is meant: one GGUF model, a checkpoint, or a single file.
import { QuernError } from '@quern/errors';
import type { HubReference, ListedFile, Repository } from '@quern/source';
import { chooseGguf, type GgufChoice, ggufModelOf, requireAllParts } from './choose-gguf.ts';
import { isCheckpoint } from './weight-files.ts';

export type HubSelection =
  | { readonly kind: 'gguf'; readonly model: GgufChoice; readonly note?: string }
  /** The folder of the repository that holds it, with a slash at the end; empty for the root. */
  | { readonly kind: 'hf'; readonly folder: string; readonly names: readonly string[] }
  | { readonly kind: 'file'; readonly path: string };

/**
 * A checkpoint wins over GGUF files beside it, unless a quant or a file is named.
 * @returns undefined when the repository has neither
 * @throws QuernError `hub-no-files`, `checkpoint-ambiguous`, `checkpoint-no-such-quant`, `gguf-split-missing`
 */
export function selectOnHub({ repo, files }: Repository, reference: HubReference): HubSelection | undefined {
  const { path, quant, revision } = reference;
  if (path !== undefined && files.some((file) => file.path === path)) {
    if (!/\.gguf$/i.test(path)) return { kind: 'file', path };
    const model = ggufModelOf(path, files);
    requireAllParts(model, repo);
    return { kind: 'gguf', model };
  }
  const folder = path === undefined ? '' : `${path.replace(/\/+$/, '')}/`;
  const within = files.filter((file) => file.path.startsWith(folder));
  if (within.length === 0) throw noSuchFile(repo, path ?? '', files);
  const names = within.map((file) => file.path.slice(folder.length));
  if (quant === undefined && isCheckpoint(names, path === undefined ? repo : `${repo}/${path}`))
    return { kind: 'hf', folder, names };
  const at = revision === undefined ? '' : `@${revision}`;
  const chosen = chooseGguf(within, {
    quant,
    place: repo,
    spelling: (choice, isOnlyOne) =>
      isOnlyOne && folder === '' ? `${repo}${at}:${choice.quant}` : `${repo}${at}/${choice.path}`,
  });
  return chosen && { kind: 'gguf', ...chosen };
}

const maxListed = 30;

function noSuchFile(repo: string, path: string, files: readonly ListedFile[]): QuernError {
  const weights = files.map((file) => file.path).filter((name) => /\.(gguf|safetensors)$/i.test(name));
  const rest = weights.length > maxListed ? ` and ${weights.length - maxListed} more` : '';
  return new QuernError('hub-no-files', `${repo} has no file or folder ${JSON.stringify(path)}.`, {
    file: `${repo}/${path}`,
    ...(weights.length > 0 && { remedy: `It has ${weights.slice(0, maxListed).join(', ')}${rest}.` }),
  });
}
