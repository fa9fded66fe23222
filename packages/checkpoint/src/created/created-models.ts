// The created models of this machine, beside the models of the hub's cache:
//
//   <cache>/quern--created/manifests/<name>.json    what each is (created-model.ts)
//                          blobs/sha256-<digits>    files that were sent for them
//                          folders/<digits>/<name>  links to these, of models of several files
//
// A manifest appears and goes as a whole. Whoever adds or removes one holds the turn: what removing thinks unused must not get a
// user meanwhile.
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { QuernError } from '@quern/errors';
import { blobBytes, blobPath, removeBlob, removeStrayBlobs, writeError, writeWholeFile } from '@quern/source';
import { type CreatedFile, type CreatedModel, manifestText, type OwnWeights, parseManifest } from './created-model.ts';
import { manifestFile } from './created-name.ts';
import { folderName, isFolderName, linkFiles, modelIn, unfinishedFolder } from './model-folder.ts';

/** Lists read all of them. */
const longestManifest = 2 ** 20;

/** One that lies there, and cannot be used. */
export interface DamagedManifest {
  readonly file: string;
  readonly fault: string;
}

export class CreatedModels {
  /** Folder of the blobs. */
  readonly blobs: string;
  readonly #manifests: string;
  readonly #folders: string;
  #turn: Promise<unknown> = Promise.resolve();

  /** @param cacheDir of the hub (`hubSettings`) */
  constructor(cacheDir: string) {
    const dir = join(cacheDir, 'quern--created');
    this.blobs = join(dir, 'blobs');
    this.#manifests = join(dir, 'manifests');
    this.#folders = join(dir, 'folders');
  }

  /** By name; what cannot be read must not hide the others. */
  async list(): Promise<{ models: CreatedModel[]; damaged: DamagedManifest[] }> {
    const models: CreatedModel[] = [];
    const damaged: DamagedManifest[] = [];
    for (const file of (await readdir(this.#manifests).catch(() => [])).sort()) {
      if (!file.endsWith('.json')) continue;
      const place = join(this.#manifests, file);
      try {
        models.push(parseManifest(await readFile(place, 'utf8'), place));
      } catch (error) {
        damaged.push({ file: place, fault: (error as Error).message });
      }
    }
    return { models, damaged };
  }

  /** @throws QuernError `manifest-damaged` */
  async find(name: string): Promise<CreatedModel | undefined> {
    const place = join(this.#manifests, manifestFile(name));
    const text = await readFile(place, 'utf8').catch(() => undefined);
    return text === undefined ? undefined : parseManifest(text, place);
  }

  /** Whether there is one of that name. What cannot be looked at is there. */
  has(name: string): Promise<boolean> {
    return stat(join(this.#manifests, manifestFile(name))).then(
      () => true,
      ({ code }: NodeJS.ErrnoException) => code !== 'ENOENT' && code !== 'ENOTDIR',
    );
  }

  /**
   * Adds a model, or puts it in the place of the one of its name, whose files go where nobody else uses them.
   * @param check a last look before it counts, in the same turn
   * @throws QuernError `blob-missing`, `manifest-too-large`, `disk-full`, `write-…`, `output-taken`, and what `check` throws
   */
  put(model: CreatedModel, check?: () => void): Promise<void> {
    return this.#inTurn(async () => {
      check?.();
      const text = manifestText(model);
      if (text.length > longestManifest)
        throw new QuernError(
          'manifest-too-large',
          `The texts of the model have ${text.length} characters; they may have ${longestManifest} together.`,
        );
      for (const digest of digestsOf(model))
        if ((await blobBytes(this.blobs, digest)) === undefined) throw missingBlob(digest);
      const before = await this.find(model.name).catch(() => undefined);
      const place = join(this.#manifests, manifestFile(model.name));
      const bytes = new TextEncoder().encode(text);
      await mkdir(this.#manifests, { recursive: true }).catch((cause) => {
        throw writeError(place, bytes.length, cause);
      });
      await writeWholeFile(place, bytes);
      if (before) await this.#removeUnused(digestsOf(before));
    });
  }

  /** @returns bytes that became free; undefined: there is no such model */
  remove(name: string): Promise<number | undefined> {
    return this.#inTurn(async () => {
      const model = await this.find(name);
      if (!model) return undefined;
      await rm(join(this.#manifests, manifestFile(name)), { force: true });
      return this.#removeUnused(digestsOf(model));
    });
  }

  /** Names of those that have the weights of a model of the hub, or of one of a whole repository. */
  async madeFrom(reference: string): Promise<string[]> {
    const { models } = await this.list();
    return models
      .filter(({ weights }) => 'reference' in weights && isSameOrPart(weights.reference, reference))
      .map(({ name }) => name);
  }

  /** What was sent long ago and is no part of a model goes. */
  tidy(olderThanMs: number): Promise<number> {
    return this.#inTurn(async () => {
      const { models, damaged } = await this.list();
      // What a damaged one uses is not known.
      if (damaged.length > 0) return 0;
      await this.#removeFolders(models, olderThanMs);
      return removeStrayBlobs(this.blobs, usedBy(models), olderThanMs);
    });
  }

  /** The files that are its own, and whether all are there. */
  async filesOf(model: CreatedModel): Promise<{ count: number; bytes: number; complete: boolean }> {
    const digests = [...new Set(digestsOf(model))];
    const sizes = await Promise.all(digests.map((digest) => blobBytes(this.blobs, digest)));
    const bytes = sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
    return { count: digests.length, bytes, complete: !sizes.includes(undefined) };
  }

  /** Where a file of a model lies. @throws QuernError `blob-missing` */
  async fileOf(digest: string): Promise<string> {
    if ((await blobBytes(this.blobs, digest)) === undefined) throw missingBlob(digest);
    return blobPath(this.blobs, digest);
  }

  /** Where the weights of a model are, or will be. */
  placeOf(weights: CreatedModel['weights']): string {
    if ('reference' in weights) return weights.reference;
    if ('digest' in weights) return blobPath(this.blobs, weights.digest);
    return modelIn(this.#folderOf(weights.files), weights.files);
  }

  /** What opens a model of files of its own; a folder of them is made where there is none yet. @throws QuernError `blob-missing`, `write-…` */
  async pathOf(weights: OwnWeights): Promise<string> {
    if ('digest' in weights) return this.fileOf(weights.digest);
    const { files } = weights;
    for (const { digest } of files) await this.fileOf(digest);
    const dir = this.#folderOf(files);
    if (!existsSync(dir)) await linkFiles(dir, files, (digest) => blobPath(this.blobs, digest));
    return modelIn(dir, files);
  }

  /** A folder of files for a look at them, which is the caller's to remove. @throws QuernError `blob-missing`, `write-…` */
  async triedFolder(files: readonly CreatedFile[]): Promise<{ dir: string; path: string; remove(): Promise<void> }> {
    for (const { digest } of files) await this.fileOf(digest);
    const dir = unfinishedFolder(this.#folders);
    await linkFiles(dir, files, (digest) => blobPath(this.blobs, digest));
    return { dir, path: modelIn(dir, files), remove: () => rm(dir, { recursive: true, force: true }) };
  }

  #folderOf(files: readonly CreatedFile[]): string {
    return join(this.#folders, folderName(files));
  }

  async #removeFolders(models: readonly CreatedModel[], olderThanMs = 0): Promise<void> {
    const used = new Set(models.map(({ weights }) => ('files' in weights ? folderName(weights.files) : '')));
    for (const name of await readdir(this.#folders).catch(() => [])) {
      if (used.has(name)) continue;
      const place = join(this.#folders, name);
      const found = await stat(place).catch(() => undefined);
      // One that is tried just now has another name, and is left alone unless it is old.
      if (found && (olderThanMs > 0 ? Date.now() - found.mtimeMs >= olderThanMs : isFolderName(name)))
        await rm(place, { recursive: true, force: true });
    }
  }

  async #removeUnused(digests: readonly string[]): Promise<number> {
    const { models, damaged } = await this.list();
    if (damaged.length > 0) return 0;
    await this.#removeFolders(models);
    const used = usedBy(models);
    let freed = 0;
    for (const digest of new Set(digests)) if (!used.has(digest)) freed += await removeBlob(this.blobs, digest);
    return freed;
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return done;
  }
}

/** The hub's names are the same in any case; `owner/repo` may stand for any model in it. */
function isSameOrPart(one: string, other: string): boolean {
  const [a, b] = [one.toLowerCase(), other.toLowerCase()];
  const begins = (long: string, short: string): boolean => long.startsWith(short) && /[:/@]/.test(long[short.length]!);
  return a === b || begins(a, b) || begins(b, a);
}

const digestsOf = ({ weights, adapters }: CreatedModel): string[] => [
  ...('digest' in weights ? [weights.digest] : []),
  ...('files' in weights ? weights.files.map(({ digest }) => digest) : []),
  ...adapters.map(({ digest }) => digest),
];

const usedBy = (models: readonly CreatedModel[]): Set<string> => new Set(models.flatMap(digestsOf));

const missingBlob = (digest: string): QuernError =>
  new QuernError('blob-missing', `There is no file ${digest} here.`, {
    remedy: 'Send it first: POST /api/blobs/<digest>, with the file as the body.',
  });
