// A server of one model. It listens before the model is there, so that probes see 503 and not a refused connection.
import { ApiError } from '../api-error.ts';
import type { ModelHost, ModelLease } from './model-host.ts';
import type { ServedModel } from './served-model.ts';

export class SingleModel implements ModelHost {
  readonly #load: () => Promise<ServedModel>;
  #starting: Promise<ServedModel> | undefined;
  #model: ServedModel | undefined;

  constructor(load: () => Promise<ServedModel>) {
    this.#load = load;
  }

  /** Loads the model; rejects with what stopped it. */
  start(): Promise<ServedModel> {
    this.#starting = this.#load().then((model) => (this.#model = model));
    // The caller may look at it late; a rejection until then is not unhandled.
    this.#starting.catch(() => {});
    return this.#starting;
  }

  loaded(): readonly ServedModel[] {
    return this.#model ? [this.#model] : [];
  }

  async acquire(name: string | null | undefined): Promise<ModelLease> {
    const model = this.#model;
    if (!model)
      throw new ApiError(503, 'model_loading', 'The model is still loading.', { headers: { 'retry-after': '1' } });
    if (name && name !== model.id) {
      const message = `The model "${name}" is not served here; this server has "${model.id}".`;
      throw new ApiError(404, 'model_not_found', message, { param: 'model' });
    }
    return leaseOf(model);
  }

  async close(): Promise<void> {
    const model = await this.#starting?.catch(() => undefined);
    await model?.close();
  }
}

/** The only model is never unloaded: nothing counts its holders. */
const leaseOf = (model: ServedModel): ModelLease => ({ model, release: () => {}, share: () => leaseOf(model) });
