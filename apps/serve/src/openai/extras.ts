// What vLLM and llama-server tell beyond OpenAI's fields, when it is asked for: ids of tokens, timings, and what ended a reply.
import type { TokenEvent } from '@quern/engine';
import { z } from 'zod';
import type { ReplyCost } from '../generate/cost.ts';
import { timingsOf } from '../generate/timings.ts';

export const extraFields = {
  /** vLLM's: the ids beside the text. */
  return_token_ids: z.boolean().nullish(),
  /** llama-server's: what the reply has taken so far. */
  timings_per_token: z.boolean().nullish(),
};

const extraShape = z.looseObject(extraFields);

interface Ending {
  readonly stopText?: string;
  readonly stopToken?: number;
}

/** Each undefined where nothing was asked for: then a stream has nothing to copy for each token. */
export interface Extras {
  /** Fields of a response, or of the first chunk of a reply. */
  prompt(): object | undefined;
  /** Fields of a choice. */
  choice(tokens: readonly TokenEvent[], ending?: Ending): object | undefined;
  timings(cost: ReplyCost): object | undefined;
}

export function extrasOf(request: z.infer<typeof extraShape>, prompt: Int32Array): Extras {
  const showsIds = request.return_token_ids ?? false;
  return {
    prompt: () => (showsIds ? { prompt_token_ids: [...prompt] } : undefined),
    choice(tokens, { stopText, stopToken } = {}) {
      const reason = stopToken ?? stopText;
      const ended = reason === undefined ? undefined : { stop_reason: reason };
      const hasIds = showsIds && (tokens.length > 0 || stopToken === undefined);
      return hasIds ? { token_ids: tokens.map(({ token }) => token), ...ended } : ended;
    },
    timings: (cost) => (request.timings_per_token ? { timings: timingsOf(cost) } : undefined),
  };
}
