// Texts that wait for their vectors, whoever asked for them: those that fit together make one batch, so that the weights are
// read once for all.
import { QuernError } from '@quern/errors';
import {
  embedBatch,
  fitting,
  type Model,
  normalized,
  notFiniteVector,
  requireFitting,
  type TextTokens,
} from '@quern/models';

/** What became of a request. */
export type EmbeddingOutcome =
  | { readonly id: number; readonly vectors: readonly Float32Array[] }
  | { readonly id: number; readonly error: QuernError };

interface Request {
  readonly raw: boolean;
  readonly vectors: (Float32Array | undefined)[];
  left: number;
}

interface WaitingText extends TextTokens {
  readonly id: number;
  readonly index: number;
}

export class EmbeddingQueue {
  readonly #model: Model;
  readonly #contextTokens: number;
  readonly #requests = new Map<number, Request>();
  #texts: WaitingText[] = [];

  /** @param model loaded with `embeddingSizes(contextTokens, …)` */
  constructor(model: Model, contextTokens: number) {
    this.#model = model;
    this.#contextTokens = contextTokens;
  }

  get empty(): boolean {
    return this.#texts.length === 0;
  }

  /**
   * @param raw not normalized, whatever the model says
   * @throws QuernError `embedding-empty`, `context-exceeded`, `token-out-of-range`: then nothing of it waits
   */
  add(id: number, texts: readonly TextTokens[], raw: boolean): void {
    requireFitting(
      texts.map(({ tokens }) => tokens),
      this.#contextTokens,
    );
    const { vocabSize } = this.#model.hyperparameters;
    for (const [index, { tokens }] of texts.entries()) {
      const unknown = tokens.find((token) => token < 0 || token >= vocabSize);
      if (unknown !== undefined)
        throw new QuernError(
          'token-out-of-range',
          `Text ${index + 1} has token ${unknown}, but the vocabulary has ${vocabSize} tokens.`,
        );
    }
    this.#requests.set(id, { raw, vectors: texts.map(() => undefined), left: texts.length });
    for (const [index, text] of texts.entries()) this.#texts.push({ id, index, ...text });
  }

  /** Texts of it that were not computed are no longer wanted. */
  cancel(id: number): void {
    if (this.#requests.delete(id)) this.#texts = this.#texts.filter((text) => text.id !== id);
  }

  /** Computes one batch; gives the requests that are done. @throws what the device throws */
  async step(): Promise<EmbeddingOutcome[]> {
    if (this.empty) return [];
    const count = fitting(
      this.#model,
      this.#texts.map(({ tokens }) => tokens.length),
    );
    const texts = this.#texts.splice(0, count);
    const vectors = await embedBatch(this.#model, texts);
    return texts.flatMap((text, i) => this.#settle(text, vectors[i]!) ?? []);
  }

  /** Every request that waits, or whose batch failed, ends with `error`. */
  abandon(error: QuernError): EmbeddingOutcome[] {
    const ids = [...this.#requests.keys()];
    this.#requests.clear();
    this.#texts = [];
    return ids.map((id) => ({ id, error }));
  }

  #settle({ id, index }: WaitingText, vector: Float32Array): EmbeddingOutcome | undefined {
    const request = this.#requests.get(id);
    if (!request) return undefined;
    if (!vector.every(Number.isFinite)) {
      this.cancel(id);
      return { id, error: notFiniteVector(index) };
    }
    request.vectors[index] = request.raw || !this.#model.pooling!.normalize ? vector : normalized(vector);
    if (--request.left > 0) return undefined;
    this.#requests.delete(id);
    return { id, vectors: request.vectors as Float32Array[] };
  }
}
