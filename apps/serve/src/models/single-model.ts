// A server of one model. It listens before the model is there, so that probes see 503 and not a refused connection. A model whose
// engine has ended is loaded anew by whoever asks next, or looks: load balancers that see 503 send no request that could do it.
import { ApiError, toApiError } from '../api-error.ts';
import type { ModelHost, ModelLease, OfferedModel } from './model-host.ts';
import type { ServedModel } from './served-model.ts';
import { unknownModel } from './unknown-model.ts';

export interface SingleModelRules {
  /** Requests must name the model as it is called; else any name will do. Replies have the right one. */
  readonly strict: boolean;
  readonly aliases: readonly string[];
}

export class SingleModel implements ModelHost {
  readonly isSingle = true;
  readonly #load: () => Promise<ServedModel>;
  readonly #rules: SingleModelRules;
  #loading: Promise<ServedModel> | undefined;
  /** The last that was loaded, dead or alive. */
  #model: ServedModel | undefined;
  /** Why it could not be loaded again, the last time. */
  #failure: unknown;
  #closed = false;

  constructor(load: () => Promise<ServedModel>, rules: SingleModelRules) {
    this.#load = load;
    this.#rules = rules;
  }

  /** Loads the model, once for all who wait for it; rejects with what stopped it. */
  start(): Promise<ServedModel> {
    if (this.#closed) return Promise.reject(new ApiError(503, 'cancelled', 'The server is closing.'));
    if (this.#loading) return this.#loading;
    // Its threads have ended, or do so beside.
    this.#model?.close().catch(() => {});
    this.#loading = this.#load();
    this.#loading.then(
      (model) => {
        this.#model = model;
        this.#failure = undefined;
        this.#loading = undefined;
      },
      // The caller may look at it late; a rejection until then is not unhandled.
      (error: unknown) => {
        this.#failure = error;
        this.#loading = undefined;
      },
    );
    return this.#loading;
  }

  offered(): readonly OfferedModel[] {
    const model = this.#model;
    // Its name is in the file.
    if (!model) return [];
    const { id } = model;
    const { aliases } = this.#rules;
    const died = model.engine.failure;
    if (died !== undefined) {
      const status = this.#loading ? 'loading' : 'failed';
      return [{ id, aliases, status, failure: toApiError(this.#failure ?? died) }];
    }
    const { weightBytes, kvBytes } = model.engine.info.memory;
    return [{ id, aliases, status: 'loaded', model, bytes: weightBytes + kvBytes }];
  }

  async refresh(): Promise<void> {}

  loaded(): readonly ServedModel[] {
    return this.offered().flatMap(({ model }) => model ?? []);
  }

  async acquire(name: string | null | undefined, signal: AbortSignal): Promise<ModelLease> {
    const model = this.#named(name);
    return leaseOf(model.engine.failure === undefined ? model : await unlessAborted(this.start(), signal));
  }

  peek(name: string | null | undefined): ModelLease {
    const model = this.#named(name);
    const died = model.engine.failure;
    if (died === undefined) return leaseOf(model);
    const { code, message } = toApiError(this.#failure ?? died);
    void this.start().catch(() => {});
    throw new ApiError(503, code, `${message} The model is being loaded again.`, { headers: retrySoon });
  }

  unload(name: string): void {
    this.#named(name);
    const message =
      'The server was started with one model, which stays loaded; with --models-dir, --preset or several it may go.';
    throw new ApiError(400, 'model_stays', message, { param: 'model' });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#loading?.catch(() => {});
    await this.#model?.close();
  }

  /** @throws ApiError 503 `model_loading`, 404 `model_not_found` */
  #named(name: string | null | undefined): ServedModel {
    const model = this.#model;
    if (!model) throw new ApiError(503, 'model_loading', 'The model is still loading.', { headers: retrySoon });
    const { strict, aliases } = this.#rules;
    const names = [model.id, ...aliases];
    if (strict && name && !names.includes(name)) throw unknownModel(name, names);
    return model;
  }
}

const retrySoon = { 'retry-after': '1' };

/** The only model is never unloaded: nothing counts its holders. */
const leaseOf = (model: ServedModel): ModelLease => ({ model, release: () => {}, share: () => leaseOf(model) });

/** Whoever leaves waits no longer; what is loaded is there for the next. */
function unlessAborted<Value>(waiting: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const leave = (): void => reject(signal.reason);
    if (signal.aborted) leave();
    signal.addEventListener('abort', leave);
    waiting.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
  });
}
