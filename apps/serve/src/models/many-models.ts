// A server of many models: each is loaded when a request names it, and goes when its time is over or its place is needed.
import type { CreatedModel } from '@quern/checkpoint';
import type { LoadOverride } from '@quern/models';
import { formatBytes } from '@quern/terminal';
import { ApiError, toApiError } from '../api-error.ts';
import type { ModelHost, ModelLease, OfferedModel } from './model-host.ts';
import { neededBytes } from './model-memory.ts';
import { type Hold, ModelPool, type PoolThing } from './model-pool.ts';
import type { PoolMember } from './pool-member.ts';
import type { LoadServedModelOptions, ServedModel } from './served-model.ts';
import { goneModel, unknownModel } from './unknown-model.ts';

/** How a load differs from the one that the server's flags ask for. */
export type LoadChanges = Pick<LoadServedModelOptions, 'adapters' | 'contextTokens'>;

/** A model that the server may load. */
export interface ModelSource {
  /** What clients call it. */
  readonly id: string;
  readonly aliases: readonly string[];
  /** What `locateCheckpoint` takes for it: a hub id, an absolute path, an address. */
  readonly reference: string;
  /** Of its files: all their bytes, and when the last of them was written (milliseconds since 1970). */
  readonly onDisk?: { readonly bytes: number; readonly modifiedMs: number };
  /** Sources of the same are loaded once, for all of them. Default: the id. */
  readonly weights?: string;
  /** What somebody made of another model. */
  readonly created?: CreatedModel;
  /** What it is for its own clients, once its weights are loaded. Default: what is loaded. */
  readonly dress?: (loaded: ServedModel) => ServedModel;
  /** Of one request; 0, and more than it was trained for: as many as that; undefined: the engine's usual. */
  readonly contextTokens?: number;
  /** In the caches of all its requests together. Default: the context. */
  readonly cacheTokens?: number;
  readonly override?: LoadOverride;
  /** Of one that may go while the server runs. */
  isGone?(): Promise<boolean>;
  /** Asked before each load, because files come and go. @throws QuernError when there is no such model any more */
  locate(): Promise<string>;
  load(path: string, onProgress: (done: number, total: number) => void, changes?: LoadChanges): Promise<ServedModel>;
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

export class ManyModels implements ModelHost {
  readonly isSingle = false;
  readonly #pool: ModelPool<ServedModel>;
  #sources: readonly ModelSource[];
  readonly #strict: boolean;
  readonly #find: () => Promise<readonly ModelSource[]>;
  #finding: Promise<void> | undefined;
  /** By all names. */
  readonly #ids = new Map<string, string>();
  /** All names of models that were removed: nothing else answers to them. */
  readonly #gone = new Set<string>();
  /** Most bytes of the weights and caches of loaded models together. */
  readonly maxBytes: number;

  /** @param find those that are there now: some may have come since the start */
  constructor(
    sources: readonly ModelSource[],
    options: ManyModelsOptions,
    find: () => Promise<readonly ModelSource[]> = async () => [],
  ) {
    this.#sources = sources;
    this.#find = find;
    this.#strict = options.strict;
    this.maxBytes = options.maxBytes;
    for (const source of sources) this.#name(source);
    const things = new Map(sources.map((source) => [weightsOf(source), thingOf(source)]));
    this.#pool = new ModelPool([...things.values()], {
      ...options,
      tooLarge: (weights, bytes, maxBytes) =>
        new ApiError(
          503,
          'model_too_large',
          `The model "${this.#sources.find((source) => weightsOf(source) === weights)?.id}" needs about ${formatBytes(bytes)}; loaded models may have ${formatBytes(maxBytes)} together (--models-memory).`,
        ),
      closed: () => new ApiError(503, 'cancelled', 'The server is closing.'),
    });
  }

  offered(): readonly OfferedModel[] {
    return this.#sources.map((source) => {
      const { model, ...status } = statusOf(this.#pool.members.get(weightsOf(source))!);
      const { id, aliases, created, onDisk } = source;
      return {
        ...{ id, aliases, ...status, fileBytes: onDisk?.bytes, createdMs: created?.createdMs ?? onDisk?.modifiedMs },
        ...(model && { model: dressed(source, model) }),
      };
    });
  }

  loaded(): readonly ServedModel[] {
    return this.offered().flatMap(({ model }, at, all) => {
      const isFirst = all.findIndex((other) => other.model?.engine === model?.engine) === at;
      return model && isFirst ? [model] : [];
    });
  }

  /** One look at a time, whoever asks for it. */
  refresh(): Promise<void> {
    this.#finding ??= this.#find()
      .then(async (found) => {
        for (const source of found) this.#addFound(source);
        for (const source of this.#sources) if (await source.isGone?.()) this.#losing(source);
      })
      .finally(() => (this.#finding = undefined));
    return this.#finding;
  }

  async acquire(name: string | null | undefined, signal: AbortSignal, keepMs?: number): Promise<ModelLease> {
    if (name && this.#idOf(name) === undefined) await this.refresh();
    if (await this.#named(name).isGone?.()) await this.refresh();
    const source = this.#named(name);
    return leaseOf(source, await this.#pool.acquire(weightsOf(source), signal, keepMs));
  }

  peek(name: string | null | undefined): ModelLease {
    const loaded = this.loaded();
    // A look without a name is at the one that is there, if that is clear.
    const source = this.#named(name || loaded.length !== 1 ? name : loaded[0]!.id);
    const hold = this.#pool.peek(weightsOf(source));
    if (hold) return leaseOf(source, hold);
    const message = `The model "${source.id}" is not loaded; a request that names it loads it.`;
    throw new ApiError(503, 'model_not_loaded', message, { param: 'model' });
  }

  unload(name: string): void {
    this.#pool.release(weightsOf(this.#named(name)));
  }

  /** The one of that name. */
  source(name: string): ModelSource | undefined {
    const id = this.#idCalled(name);
    return this.#sources.find((source) => source.id === id);
  }

  /** Offers a model, in the place of the one of its name: that ends when those who use it are done. */
  put(source: ModelSource): void {
    const { id } = source;
    const weights = weightsOf(source);
    if (!this.#pool.members.has(weights)) this.#pool.add(thingOf(source));
    const isNew = this.#sources.every((other) => other.id !== id);
    this.#sources = isNew
      ? [...this.#sources, source]
      : this.#sources.map((other) => (other.id === id ? source : other));
    this.#name(source);
    this.#dropUnused();
  }

  /** Offers a model no longer: it ends when those who use it are done. */
  forget(id: string): void {
    this.#sources = this.#sources.filter((source) => source.id !== id);
    for (const [name, named] of this.#ids) if (named === id) this.#ids.delete(name);
    this.#dropUnused();
  }

  /** The same for one that must not be used meanwhile. @throws ApiError 404 `model_not_found`, 409 `model_in_use` */
  remove(id: string): void {
    const source = this.#sources.find((other) => other.id === id);
    if (!source) throw unknownModel(id, [...this.#ids.keys()]);
    this.#pool.release(weightsOf(source));
    if (!this.#pool.remove(weightsOf(source)))
      throw new ApiError(409, 'model_in_use', `The model "${id}" is in use; ask again when it is unloaded.`, {
        param: 'model',
      });
    this.forget(id);
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  /** Its own name wins over what another is called beside its own. */
  #name({ id, aliases }: ModelSource): void {
    for (const alias of aliases) if (this.#ids.get(alias) !== alias) this.#ids.set(alias, id);
    this.#ids.set(id, id);
    for (const name of [id, ...aliases]) this.#gone.delete(name);
  }

  #losing({ id, aliases }: ModelSource): void {
    this.forget(id);
    for (const name of [id, ...aliases]) this.#gone.add(name);
  }

  /** What was there before stays, unless it was created anew. */
  #addFound(source: ModelSource): void {
    const there = this.source(source.id);
    if (!there || (there.created && source.created && there.created.createdMs !== source.created.createdMs))
      this.put(source);
  }

  /** Weights that no model has any more; what is still in use goes the next time. */
  #dropUnused(): void {
    const used = new Set(this.#sources.map(weightsOf));
    for (const weights of [...this.#pool.members.keys()]) {
      if (used.has(weights)) continue;
      this.#pool.release(weights);
      this.#pool.remove(weights);
    }
  }

  /** @throws ApiError 404 `model_not_found`, 400 `model_required`: never another model than the one that is meant */
  #named(name: string | null | undefined): ModelSource {
    if (name && this.#gone.has(name)) throw goneModel(name);
    const id = this.#idOf(name);
    const found = this.#sources.find((source) => source.id === id);
    if (found) return found;
    if (!name)
      throw new ApiError(
        400,
        'model_required',
        `This server has ${this.#sources.length} models: say which, as "model".`,
        {
          param: 'model',
        },
      );
    throw unknownModel(name, [...this.#ids.keys()]);
  }

  #idOf(name: string | null | undefined): string | undefined {
    const [only] = this.#sources;
    if (only && this.#sources.length === 1 && !(this.#strict && name)) return only.id;
    return name ? this.#idCalled(name) : undefined;
  }

  /** Created ones are one where their names differ in case alone. */
  #idCalled(name: string): string | undefined {
    const isCalled = ({ id, created }: ModelSource) => created && id.toLowerCase() === name.toLowerCase();
    return this.#ids.get(name) ?? this.#sources.find(isCalled)?.id;
  }
}

const weightsOf = ({ id, weights = id }: ModelSource): string => weights;

const dressed = ({ dress }: ModelSource, loaded: ServedModel): ServedModel => dress?.(loaded) ?? loaded;

function thingOf(source: ModelSource): PoolThing<ServedModel> {
  const { locate, load } = source;
  return {
    name: weightsOf(source),
    estimate: async () => neededBytes(await locate(), source),
    load: async (onProgress) => load(await locate(), onProgress),
    bytesOf: ({ engine: { info } }) => info.memory.weightBytes + info.memory.kvBytes,
    failureOf: ({ engine }) => engine.failure,
    close: (model) => model.close(),
  };
}

function statusOf(member: PoolMember<ServedModel>): Omit<OfferedModel, 'id' | 'aliases'> {
  const { state, failure, progress, expiresMs } = member;
  // An engine that is told to go has ended, too.
  const died = state === 'loaded' ? member.thing.failureOf(member.loaded!) : undefined;
  if (died !== undefined || (state === 'unloaded' && failure !== undefined))
    return { status: 'failed', failure: toApiError(died ?? failure) };
  return {
    status: state,
    ...(progress && { progress }),
    ...(state === 'loaded' && { model: member.loaded!, bytes: member.bytes, expiresMs }),
  };
}

const leaseOf = (source: ModelSource, hold: Hold<ServedModel>): ModelLease => ({
  model: dressed(source, hold.loaded),
  release: hold.release,
  share: () => leaseOf(source, hold.share()),
});
