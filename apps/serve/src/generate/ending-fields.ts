// The request fields that say where a reply ends: OpenAI's, vLLM's and llama-server's.
import { z } from 'zod';
import { ApiError } from '../api-error.ts';

/** OpenAI allows 4 stop strings; agents send more. A bound keeps matching cheap. */
const maxStops = 64;
const maxStopLength = 16_384;
const stopString = z.string().min(1).max(maxStopLength);
const tokenCount = z.union(
  [z.literal(-1), z.int().min(1)],
  'expected a number of tokens, from 1 on, or -1 for as many as the context has room for',
);
const millis = z.int().min(1);

/** Names of one length: an endpoint that has them asks `maxTokensOf`. */
export const lengthFields = {
  max_tokens: tokenCount.nullish(),
  max_completion_tokens: tokenCount.nullish(),
  /** transformers' and TGI's. */
  max_new_tokens: tokenCount.nullish(),
  /** llama-server's. */
  n_predict: tokenCount.nullish(),
};

export const endingFields = {
  stop: z
    .union(
      [stopString, z.array(stopString).max(maxStops)],
      `expected a non-empty string of at most ${maxStopLength} characters, or a list of at most ${maxStops}`,
    )
    .nullish(),
  stop_token_ids: z.array(z.int().min(0)).max(1024).nullish(),
  include_stop_str_in_output: z.boolean().nullish(),
  /** What it may take, waiting included. */
  deadline_ms: millis.nullish(),
  /** llama-server's: from the first token on, once a line has ended. 0 or -1: as long as it takes. */
  t_max_predict_ms: z.int().min(-1).nullish(),
};

const lengthShape = z.looseObject(lengthFields);
type LengthRequest = z.infer<typeof lengthShape>;
const endingShape = z.looseObject(endingFields);
type EndingRequest = z.infer<typeof endingShape>;

/**
 * Most tokens of a reply, whichever name says so; `preset` when none does. OpenAI's newer name stands before its older one.
 * @returns undefined: nobody says it; Infinity: until the model ends its turn or the context is full
 * @throws ApiError 400 when two names say different things
 */
export function maxTokensOf(request: LengthRequest, preset?: number): number | undefined {
  const { max_completion_tokens: newer, max_tokens: older, max_new_tokens, n_predict } = request;
  const said = Object.entries({ max_tokens: newer ?? older, max_new_tokens, n_predict }).flatMap(([name, tokens]) =>
    tokens === undefined || tokens === null ? [] : [{ name, tokens }],
  );
  if (said.length === 0) return preset;
  const [first, ...others] = said.filter(({ tokens }) => tokens !== -1);
  // Said to have no end: no preset gives it one.
  if (first === undefined) return Number.POSITIVE_INFINITY;
  const other = others.find(({ tokens }) => tokens !== first.tokens);
  if (other === undefined) return first.tokens;
  const message = `${first.name} (${first.tokens}) and ${other.name} (${other.tokens}) differ: give one of them.`;
  throw new ApiError(400, 'invalid_value', message, { param: other.name });
}

/** @param preset where the request does not say it */
export const stopStrings = ({ stop }: EndingRequest, preset: readonly string[] = []): readonly string[] =>
  typeof stop === 'string' ? [stop] : (stop ?? preset);
