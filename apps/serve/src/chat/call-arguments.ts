// The arguments of an earlier call, as a client gives them back. A call that met max_tokens, or that a model wrote wrongly, comes
// back with every later request of its conversation: refused, it would end the conversation for good.
import { ApiError } from '../api-error.ts';
import type { JsonSum } from '../http/json-size.ts';
import { isModest, requireModest } from '../http/json-text.ts';
import { isObject } from '../large-shapes.ts';
import { closedJson } from './closed-json.ts';

/** Characters that are read before others have their turn: some milliseconds, where they are no JSON too. */
const slice = 2 ** 17;

/** Those of one conversation: together they may be made of as many parts as a body. */
export class ArgumentsReader {
  readonly #sum: JsonSum = { quarters: 0 };
  #sincePause = 0;

  /**
   * Pauses, so that whoever reads many may do something else.
   * @param text of what is no JSON, what can be told of it counts
   * @param param where it stands in the request
   * @throws ApiError 400 where it is JSON and no object, too deep, or too much
   */
  *read(text: string, param: string): Generator<void, Record<string, unknown>> {
    this.#sincePause += text.length;
    if (this.#sincePause > slice) {
      this.#sincePause = text.length;
      yield;
    }
    // A nest that was cut off has nothing to tell: models that repeat themselves write such.
    if (!text.trimEnd().endsWith('}') && !isModest(text)) return {};
    requireModest(text, param, this.#sum);
    const value = toldIn(text) ?? {};
    if (isObject(value)) return value;
    throw new ApiError(400, 'invalid_value', `${param} must be the text of a JSON object.`, { param });
  }
}

function toldIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const told = closedJson(text);
    return isObject(told) ? told : {};
  }
}
