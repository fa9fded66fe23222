// `quern rm`: models out of the hub's cache, after asking.
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { modelsOf } from '@quern/checkpoint';
import { nearest, QuernError } from '@quern/errors';
import { type CachedFile, type CachedRepository, cachedRepositories, hubSettings, removeCached } from '@quern/source';
import { exitCodes, formatBytes, printable, printJson, printLine } from '@quern/terminal';

export interface RemoveOptions {
  yes?: boolean;
  json?: boolean;
}

/** What one name stands for. */
interface Removal {
  readonly name: string;
  readonly repository: CachedRepository;
  readonly files: readonly CachedFile[];
}

/** @throws QuernError `usage-not-in-cache`, `model-not-here`, `refused-not-confirmed` */
export async function remove(names: readonly string[], options: RemoveOptions): Promise<number | undefined> {
  const { cacheDir } = await hubSettings({});
  const removals = await removalsOf(names, await cachedRepositories(cacheDir));
  if (!options.yes && !(await confirmed(removals, options))) return exitCodes.refused;
  const removed = [];
  for (const { name, repository, files } of removals)
    removed.push({ name, files: files.length, freedBytes: await removeCached(repository, files) });
  if (options.json) printJson({ removed });
  else for (const { name, freedBytes } of removed) printLine(`deleted ${printable(name)}: ${formatBytes(freedBytes)}`);
}

/** All are found before one is deleted. */
async function removalsOf(names: readonly string[], repositories: readonly CachedRepository[]): Promise<Removal[]> {
  const models = (await Promise.all(repositories.map(modelsOf))).flat();
  const known = new Set([...models.map(({ name }) => name), ...repositories.map(({ repo }) => repo)]);
  return names.map((given) => {
    const name = given.replace(/^(hf:\/\/|(https:\/\/)?(hf\.co|huggingface\.co)\/)/, '');
    const whole = repositories.find(({ repo }) => sameName(repo, name));
    const files = whole?.snapshots.flatMap((snapshot) => snapshot.files);
    // `owner/repo` is a checkpoint's own name too: then its GGUF files beside it stay.
    const model = models.find((other) => sameName(other.name, name));
    if (model) return { name: model.name, repository: model.repository, files: model.cached };
    if (whole && files) return { name: whole.repo, repository: whole, files };
    if (existsSync(given))
      throw new QuernError('usage-not-in-cache', 'The model is a file or folder outside the cache.', {
        file: given,
        remedy: 'Delete it with the tools of your system.',
      });
    const similar = nearest(name, [...known]);
    throw new QuernError('model-not-here', `There is no model ${JSON.stringify(given)} in the cache.`, {
      remedy: similar.length > 0 ? `Did you mean ${similar.join(' or ')}?` : 'quern list shows what is here.',
    });
  });
}

/** The hub's names, and those of types, are the same in any case. */
const sameName = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

async function confirmed(removals: readonly Removal[], { json }: RemoveOptions): Promise<boolean> {
  const lines = removals.map(({ name, files }) => {
    const bytes = files.reduce((sum, { size }) => sum + size, 0);
    return `${printable(name)}: ${files.length} files, ${formatBytes(bytes)}`;
  });
  if (json || !process.stdin.isTTY || !process.stderr.isTTY)
    throw new QuernError('refused-not-confirmed', `Nothing was deleted: nobody can be asked (${lines.join('; ')}).`, {
      remedy: 'Add --yes.',
    });
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(`${lines.join('\n')}\nDelete? [y/N] `);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    terminal.close();
  }
}
