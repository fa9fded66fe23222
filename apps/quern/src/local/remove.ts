// `quern rm`: models out of the hub's cache, and created ones beside it, after asking.
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { CreatedModels, modelsOf } from '@quern/checkpoint';
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
  readonly files: number;
  /** Of these files; what others need stays. */
  readonly bytes: number;
  /** @returns bytes that became free */
  run(): Promise<number>;
}

/** @throws QuernError `usage-not-in-cache`, `model-not-here`, `refused-has-others`, `refused-not-confirmed` */
export async function remove(names: readonly string[], options: RemoveOptions): Promise<number | undefined> {
  const { cacheDir } = await hubSettings({});
  const removals = await removalsOf(names, await cachedRepositories(cacheDir), new CreatedModels(cacheDir));
  if (!options.yes && !(await confirmed(removals, options))) return exitCodes.refused;
  const removed = [];
  for (const { name, files, run } of removals) removed.push({ name, files, freedBytes: await run() });
  if (options.json) printJson({ removed });
  else for (const { name, freedBytes } of removed) printLine(`deleted ${printable(name)}: ${formatBytes(freedBytes)}`);
}

/** All are found before one is deleted. */
async function removalsOf(
  names: readonly string[],
  repositories: readonly CachedRepository[],
  created: CreatedModels,
): Promise<Removal[]> {
  const models = (await Promise.all(repositories.map(modelsOf))).flat();
  const made = (await created.list()).models;
  const known = new Set([...models, ...made].map(({ name }) => name).concat(repositories.map(({ repo }) => repo)));
  const removals: Removal[] = [];
  for (const given of names) {
    const name = given.replace(/^(hf:\/\/|(https:\/\/)?(hf\.co|huggingface\.co)\/)/, '');
    const own = made.find((other) => sameName(other.name, name.replace(/:latest$/, '')));
    if (own) {
      const { count, bytes } = await created.filesOf(own);
      removals.push({ name: own.name, files: count, bytes, run: async () => (await created.remove(own.name)) ?? 0 });
      continue;
    }
    const whole = repositories.find(({ repo }) => sameName(repo, name));
    const all = whole?.snapshots.flatMap((snapshot) => snapshot.files);
    // `owner/repo` is a checkpoint's own name too: then its GGUF files beside it stay.
    const model = models.find((other) => sameName(other.name, name));
    if (model) removals.push(ofCache(model.name, model.repository, model.cached));
    else if (whole && all) removals.push(ofCache(whole.repo, whole, all));
    else throw notHere(given, nearest(name, [...known]));
    await refuseWithOthers(created, removals.at(-1)!.name, names);
  }
  return removals;
}

const ofCache = (name: string, repository: CachedRepository, files: readonly CachedFile[]): Removal => ({
  ...{ name, files: files.length, bytes: files.reduce((sum, { size }) => sum + size, 0) },
  run: () => removeCached(repository, files),
});

/** Those that were made of it have its weights. @throws QuernError `refused-has-others` */
async function refuseWithOthers(created: CreatedModels, name: string, going: readonly string[]): Promise<void> {
  const others = (await created.madeFrom(name)).filter((other) => !going.some((given) => sameName(given, other)));
  if (others.length === 0) return;
  throw new QuernError('refused-has-others', `Of ${name} others were made that need it: ${others.join(', ')}.`, {
    remedy: 'Delete these too.',
  });
}

function notHere(given: string, similar: readonly string[]): QuernError {
  if (existsSync(given))
    return new QuernError('usage-not-in-cache', 'The model is a file or folder outside the cache.', {
      file: given,
      remedy: 'Delete it with the tools of your system.',
    });
  return new QuernError('model-not-here', `There is no model ${JSON.stringify(given)} in the cache.`, {
    remedy: similar.length > 0 ? `Did you mean ${similar.join(' or ')}?` : 'quern list shows what is here.',
  });
}

/** The hub's names, and those of types, are the same in any case. */
const sameName = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

async function confirmed(removals: readonly Removal[], { json }: RemoveOptions): Promise<boolean> {
  const lines = removals.map(({ name, files, bytes }) => `${printable(name)}: ${files} files, ${formatBytes(bytes)}`);
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
