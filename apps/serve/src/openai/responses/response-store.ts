// The responses that clients may come back to by their ids, in memory. When they need more than their bytes, the least
// recently used go; a response that is gone on from keeps those before it alive.
import { ApiError } from '../../api-error.ts';
import type { Item } from './item-shapes.ts';
import type { OutputItem, ResponseObject } from './response-object.ts';

/** Items of requests have ids here, too. */
export type StoredItem = Item & { id: string };

export interface StoredResponse {
  readonly response: ResponseObject;
  readonly input: readonly StoredItem[];
}

interface Entry extends StoredResponse {
  readonly bytes: number;
}

const usualBytes = 64 * 2 ** 20;

export class ResponseStore {
  readonly #maxBytes: number;
  /** The least recently used first. */
  readonly #entries = new Map<string, Entry>();
  readonly #items = new Map<string, { readonly item: Item; readonly within: string }>();
  #bytes = 0;

  constructor(maxBytes = usualBytes) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** One that is larger than all there may be is not kept. */
  add(stored: StoredResponse): void {
    const { id } = stored.response;
    const bytes = Buffer.byteLength(JSON.stringify(stored));
    if (bytes > this.#maxBytes) return;
    this.#entries.set(id, { ...stored, bytes });
    this.#bytes += bytes;
    for (const item of [...stored.input, ...stored.response.output]) this.#items.set(item.id, { item, within: id });
    while (this.#bytes > this.#maxBytes) this.delete(this.#entries.keys().next().value!);
  }

  get(id: string): StoredResponse | undefined {
    const entry = this.#entries.get(id);
    if (!entry) return undefined;
    this.#entries.delete(id);
    this.#entries.set(id, entry);
    return entry;
  }

  delete(id: string): boolean {
    const entry = this.#entries.get(id);
    if (!entry) return false;
    this.#entries.delete(id);
    this.#bytes -= entry.bytes;
    for (const item of [...entry.input, ...entry.response.output])
      if (this.#items.get(item.id)?.within === id) this.#items.delete(item.id);
    return true;
  }

  /** @throws ApiError 400 when it is not here any more */
  item(id: string, param: string): Item {
    const found = this.#items.get(id);
    if (found) return found.item;
    throw new ApiError(400, 'item_not_found', `${param}: the item "${id}" is not stored here.`, { param });
  }

  /**
   * All items of a response and of those that it goes on from, the oldest first.
   * @throws ApiError 400 when one of them is not here any more
   */
  history(id: string | null | undefined): Item[] {
    const turns: (readonly (StoredItem | OutputItem)[])[] = [];
    // From the newest to the oldest, so that the oldest, which others need, is the last to go.
    for (let next = id; next; ) {
      const stored = this.get(next);
      if (!stored) throw notFound(next, id!);
      turns.push([...stored.input, ...stored.response.output]);
      next = stored.response.previous_response_id;
    }
    return turns.reverse().flat();
  }
}

function notFound(missing: string, asked: string): ApiError {
  const which = missing === asked ? '' : `, which "${asked}" goes on from,`;
  const message = `The response "${missing}"${which} is not stored here (any more).`;
  return new ApiError(400, 'previous_response_not_found', message, { param: 'previous_response_id' });
}
