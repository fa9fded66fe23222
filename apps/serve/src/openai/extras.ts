// What vLLM and llama-server tell beyond OpenAI's fields, when it is asked for: ids of tokens, timings, and what ended a reply.
import type { TokenEvent } from '@quern/engine';
import { z } from 'zod';
import { type ReplyCost, untouched } from '../generate/cost.ts';
import { generationFields } from '../generate/generation-request.ts';
import { timingsOf } from '../generate/timings.ts';
import { usage } from './response-fields.ts';

export const extraFields = {
  /** vLLM's: the ids beside the text. */
  return_token_ids: z.boolean().nullish(),
  /** vLLM's: `token_id:17` in place of a token's text, of which two may have the same. */
  return_tokens_as_token_ids: z.boolean().nullish(),
  /** llama-server's: what the reply has taken so far. */
  timings_per_token: z.boolean().nullish(),
};

const { stream_options } = generationFields;
const extraShape = z.looseObject({ ...extraFields, stream_options });

interface Ending {
  readonly stopText?: string;
  readonly stopToken?: number;
}

/** Mostly undefined where nothing was asked for: then a stream has nothing to copy for each token. */
export interface Extras {
  /** Fields of a response, or of the first chunk of a reply. */
  prompt(): object | undefined;
  /** Further ones of a chunk that comes before the first token. */
  opening(): object | undefined;
  /** Fields of a choice. */
  choice(tokens: readonly TokenEvent[], ending?: Ending): object | undefined;
  /** llama-server's, of a whole reply or at the end of a stream. */
  timings(cost: ReplyCost): object;
  /** Fields of a chunk: what its reply has taken so far. */
  progress(cost: ReplyCost): object | undefined;
}

export function extrasOf(request: z.infer<typeof extraShape>, prompt: Int32Array): Extras {
  const showsIds = request.return_token_ids ?? false;
  const { include_usage, continuous_usage_stats } = request.stream_options ?? {};
  const showsUsage = (include_usage && continuous_usage_stats) ?? false;
  const timings = (cost: ReplyCost) => ({ timings: timingsOf(cost) });
  const perToken = (cost: ReplyCost) => (request.timings_per_token ? timings(cost) : undefined);
  return {
    prompt: () => (showsIds ? { prompt_token_ids: [...prompt] } : undefined),
    opening: () => (showsUsage ? { usage: usage(untouched(prompt.length)) } : undefined),
    choice(tokens, { stopText, stopToken } = {}) {
      const reason = stopToken ?? stopText;
      const ended = reason === undefined ? undefined : { stop_reason: reason };
      const hasIds = showsIds && (tokens.length > 0 || stopToken === undefined);
      return hasIds ? { token_ids: tokens.map(({ token }) => token), ...ended } : ended;
    },
    timings,
    progress: (cost) => (showsUsage ? { ...perToken(cost), usage: usage(cost) } : perToken(cost)),
  };
}
