// A server of one model. It listens before the model is there, so that probes see 503 and not a refused connection.
import { ApiError, toApiError } from '../api-error.ts';
import type { ModelHost, ModelLease, OfferedModel } from './model-host.ts';
import type { ServedModel } from './served-model.ts';
import { unknownModel } from './unknown-model.ts';

export class SingleModel implements ModelHost {
  readonly revives = false;
  readonly #load: () => Promise<ServedModel>;
  readonly #strict: boolean;
  #starting: Promise<ServedModel> | undefined;
  #model: ServedModel | undefined;
  #failure: unknown;

  /** @param strict whether requests must name the model as it is called; else any name will do, and replies have the right one */
  constructor(load: () => Promise<ServedModel>, strict: boolean) {
    this.#load = load;
    this.#strict = strict;
  }

  /** Loads the model; rejects with what stopped it. */
  start(): Promise<ServedModel> {
    this.#starting = this.#load().then((model) => (this.#model = model));
    // The caller may look at it late; a rejection until then is not unhandled.
    this.#starting.catch((error: unknown) => (this.#failure = error));
    return this.#starting;
  }

  offered(): readonly OfferedModel[] {
    const model = this.#model;
    // Its name is in the file.
    if (!model) return [];
    const failure = model.engine.failure ?? this.#failure;
    return [
      {
        id: model.id,
        aliases: [],
        status: failure === undefined ? 'loaded' : 'failed',
        ...(failure !== undefined && { failure: toApiError(failure) }),
        model,
        bytes: model.engine.info.memory.weightBytes + model.engine.info.memory.kvBytes,
      },
    ];
  }

  loaded(): readonly ServedModel[] {
    return this.#model ? [this.#model] : [];
  }

  async acquire(name: string | null | undefined): Promise<ModelLease> {
    return this.peek(name);
  }

  peek(name: string | null | undefined): ModelLease {
    const model = this.#model;
    if (!model)
      throw new ApiError(503, 'model_loading', 'The model is still loading.', { headers: { 'retry-after': '1' } });
    if (this.#strict && name && name !== model.id) throw unknownModel(name, [model.id]);
    return leaseOf(model);
  }

  unload(name: string): void {
    this.peek(name);
    const message =
      'The server was started with one model, which stays loaded; with --models-dir, --preset or several it may go.';
    throw new ApiError(400, 'model_stays', message, { param: 'model' });
  }

  async close(): Promise<void> {
    const model = await this.#starting?.catch(() => undefined);
    await model?.close();
  }
}

/** The only model is never unloaded: nothing counts its holders. */
const leaseOf = (model: ServedModel): ModelLease => ({ model, release: () => {}, share: () => leaseOf(model) });
