// A server of many models: each is loaded when a request names it, and goes when its time is over or its place is needed.
import { describeModel, type LoadOverride, openModel } from '@quern/models';
import { formatBytes } from '@quern/terminal';
import { ApiError, toApiError } from '../api-error.ts';
import type { ModelHost, ModelLease, OfferedModel } from './model-host.ts';
import { type Hold, ModelPool, type PoolThing } from './model-pool.ts';
import type { PoolMember } from './pool-member.ts';
import type { ServedModel } from './served-model.ts';
import { unknownModel } from './unknown-model.ts';

/** A model that the server may load. */
export interface ModelSource {
  /** What clients call it. */
  readonly id: string;
  readonly aliases: readonly string[];
  /** Most tokens in the caches of all its requests together; 0: as many as it was trained for; undefined: the engine's usual. */
  readonly cacheTokens?: number;
  readonly override?: LoadOverride;
  /** Asked before each load, because files come and go. @throws QuernError when there is no such model any more */
  locate(): Promise<string>;
  load(path: string, onProgress: (done: number, total: number) => void): Promise<ServedModel>;
}

export interface ManyModelsOptions {
  /** Most models that are loaded at a time. */
  readonly maxLoaded: number;
  /** Most bytes of their weights and caches together. */
  readonly maxBytes: number;
  /** Milliseconds that a model stays without requests; negative: until its place is needed. */
  readonly keepMs: number;
  /** Where there is one model: whether requests must call it by its name. */
  readonly strict: boolean;
}

/** As the engine's, when it is not told. */
const usualContext = 4096;

export class ManyModels implements ModelHost {
  readonly isSingle = false;
  readonly #pool: ModelPool<ServedModel>;
  #sources: readonly ModelSource[];
  readonly #strict: boolean;
  readonly #find: () => Promise<readonly ModelSource[]>;
  #finding: Promise<void> | undefined;
  /** By all names. */
  readonly #ids = new Map<string, string>();

  /** @param find those that are there now: some may have come since the start */
  constructor(
    sources: readonly ModelSource[],
    options: ManyModelsOptions,
    find: () => Promise<readonly ModelSource[]> = async () => [],
  ) {
    this.#sources = sources;
    this.#find = find;
    this.#strict = options.strict;
    // A model's own name wins over what another is called beside its own.
    for (const { id, aliases } of sources) for (const alias of aliases) this.#ids.set(alias, id);
    for (const { id } of sources) this.#ids.set(id, id);
    this.#pool = new ModelPool(sources.map(thingOf), {
      ...options,
      tooLarge: (name, bytes, maxBytes) =>
        new ApiError(
          503,
          'model_too_large',
          `The model "${name}" needs about ${formatBytes(bytes)}; loaded models may have ${formatBytes(maxBytes)} together (--models-memory).`,
        ),
      closed: () => new ApiError(503, 'cancelled', 'The server is closing.'),
    });
  }

  offered(): readonly OfferedModel[] {
    return this.#sources.map(({ id, aliases }) => ({ id, aliases, ...statusOf(this.#pool.members.get(id)!) }));
  }

  loaded(): readonly ServedModel[] {
    return this.offered().flatMap(({ model }) => model ?? []);
  }

  /** One look at a time, whoever asks for it. */
  refresh(): Promise<void> {
    this.#finding ??= this.#find()
      .then((found) => found.forEach((source) => void this.add(source)))
      .finally(() => (this.#finding = undefined));
    return this.#finding;
  }

  async acquire(name: string | null | undefined, signal: AbortSignal, keepMs?: number): Promise<ModelLease> {
    if (name && this.#idOf(name) === undefined) await this.refresh();
    return leaseOf(await this.#pool.acquire(this.#named(name), signal, keepMs));
  }

  peek(name: string | null | undefined): ModelLease {
    const loaded = this.loaded();
    // A look without a name is at the one that is there, if that is clear.
    const id = name || loaded.length !== 1 ? this.#named(name) : loaded[0]!.id;
    const hold = this.#pool.peek(id);
    if (hold) return leaseOf(hold);
    throw new ApiError(503, 'model_not_loaded', `The model "${id}" is not loaded; a request that names it loads it.`, {
      param: 'model',
    });
  }

  unload(name: string): void {
    this.#pool.release(this.#named(name));
  }

  /** Offers one more model; one of its name is there already, or not. */
  add(source: ModelSource): void {
    if (this.#pool.members.has(source.id)) return;
    this.#pool.add(thingOf(source));
    this.#sources = [...this.#sources, source];
    this.#ids.set(source.id, source.id);
  }

  /** Calls a model by one more name. @throws ApiError 404 `model_not_found`, 400 `name_taken` */
  addName(name: string, model: string): void {
    const id = this.#ids.get(model);
    if (id === undefined) throw unknownModel(model, [...this.#ids.keys()]);
    if (this.#pool.members.has(name))
      throw new ApiError(400, 'name_taken', `There is a model called "${name}" already.`, { param: 'destination' });
    this.#ids.set(name, id);
    this.#sources = this.#sources.map((source) =>
      source.id === id ? { ...source, aliases: [...source.aliases.filter((other) => other !== name), name] } : source,
    );
  }

  /** Forgets a further name of a model; false: it is none. */
  removeName(name: string): boolean {
    if (this.#pool.members.has(name) || !this.#ids.delete(name)) return false;
    this.#sources = this.#sources.map((source) => ({
      ...source,
      aliases: source.aliases.filter((other) => other !== name),
    }));
    return true;
  }

  /** Offers a model no longer, once it is unloaded. @throws ApiError 404 `model_not_found`, 409 `model_in_use` */
  remove(id: string): void {
    if (!this.#pool.members.has(id)) throw unknownModel(id, [...this.#ids.keys()]);
    this.#pool.release(id);
    if (!this.#pool.remove(id))
      throw new ApiError(409, 'model_in_use', `The model "${id}" is in use; ask again when it is unloaded.`, {
        param: 'model',
      });
    this.#sources = this.#sources.filter((source) => source.id !== id);
    for (const [name, named] of this.#ids) if (named === id) this.#ids.delete(name);
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  /** @throws ApiError 404 `model_not_found`, 400 `model_required`: never another model than the one that is meant */
  #named(name: string | null | undefined): string {
    const id = this.#idOf(name);
    if (id !== undefined) return id;
    const ids = this.#sources.map(({ id }) => id);
    if (!name)
      throw new ApiError(400, 'model_required', `This server has ${ids.length} models: say which, as "model".`, {
        param: 'model',
      });
    throw unknownModel(name, [...this.#ids.keys()]);
  }

  #idOf(name: string | null | undefined): string | undefined {
    const [only] = this.#sources;
    if (only && this.#sources.length === 1 && !(this.#strict && name)) return only.id;
    return name ? this.#ids.get(name) : undefined;
  }
}

function thingOf({ id, cacheTokens, override, locate, load }: ModelSource): PoolThing<ServedModel> {
  return {
    name: id,
    async estimate() {
      const view = await openModel(await locate(), { override });
      try {
        const { dataBytes, kvBytesPerToken, hyperparameters } = describeModel(view);
        const { contextLength } = hyperparameters;
        const tokens = cacheTokens === 0 ? contextLength : (cacheTokens ?? Math.min(usualContext, contextLength));
        return dataBytes + tokens * kvBytesPerToken.f16;
      } finally {
        await view.close();
      }
    },
    load: async (onProgress) => load(await locate(), onProgress),
    bytesOf: ({ engine: { info } }) => info.memory.weightBytes + info.memory.kvBytes,
    failureOf: ({ engine }) => engine.failure,
    close: (model) => model.close(),
  };
}

function statusOf(member: PoolMember<ServedModel>): Omit<OfferedModel, 'id' | 'aliases'> {
  const { state, failure, progress, expiresMs } = member;
  const died = member.loaded && member.thing.failureOf(member.loaded);
  if (died !== undefined || (state === 'unloaded' && failure !== undefined))
    return { status: 'failed', failure: toApiError(died ?? failure) };
  return {
    status: state,
    ...(progress && { progress }),
    ...(state === 'loaded' && { model: member.loaded!, bytes: member.bytes, expiresMs }),
  };
}

const leaseOf = (hold: Hold<ServedModel>): ModelLease => ({
  model: hold.loaded,
  release: hold.release,
  share: () => leaseOf(hold.share()),
});
