// The request fields of a beam search, in vLLM's names: `best_of` beams (else `n`), of which the `n` best are the answer.
import type { BeamOptions } from '@quern/engine';
import { z } from 'zod';
import { ApiError } from '../api-error.ts';

export const beamFields = {
  use_beam_search: z.boolean().nullish(),
  length_penalty: z.number().min(-100).max(100).nullish(),
  early_stopping: z.union([z.boolean(), z.literal('never')], 'expected true, false or "never"').nullish(),
  /** Without a beam search: how many replies are compared. */
  best_of: z.int().min(1).max(128).nullish(),
};

const beamShape = z.looseObject({ ...beamFields, n: z.int().nullish() });
export type BeamRequest = z.infer<typeof beamShape>;

/** Fields that change what the search would compare, or ask for a reply before it is known; with the values that change nothing. */
const incompatible: Readonly<Record<string, unknown>> = {
  stream: false,
  ...{ grammar: '', json_schema: null, structured_outputs: null },
  ...{ guided_json: null, guided_regex: null, guided_choice: null, guided_grammar: null },
  ...{ t_max_predict_ms: 0, min_tokens: 0, allowed_token_ids: null, bad_words: null },
  ...{ ignore_eos: false, frequency_penalty: 0, presence_penalty: 0, dry_multiplier: 0 },
  ...{ repetition_penalty: 1, repeat_penalty: 1 },
};

/** What the engine is told. @throws ApiError 400 naming the field that does not go together with a search */
export function beamOptions(request: BeamRequest): { beams?: BeamOptions } {
  if (!request.use_beam_search) {
    const alone = (['length_penalty', 'early_stopping'] as const).find((field) => request[field] != null);
    if (alone) throw refused(alone, `${alone} belongs to a beam search; give use_beam_search: true too.`);
    return {};
  }
  for (const [field, neutral] of Object.entries(incompatible))
    if (request[field] != null && request[field] !== neutral) throw apart(field);
  const format = request.response_format as { type?: string } | null | undefined;
  if (format && format.type !== 'text') throw apart('response_format');
  if (request.logit_bias && Object.keys(request.logit_bias).length > 0) throw apart('logit_bias');
  const width = request.best_of ?? request.n ?? 1;
  if (width < (request.n ?? 1))
    throw refused('best_of', `best_of (${width}) must be at least n (${request.n}): so many beams are followed.`);
  return {
    beams: {
      width,
      lengthPenalty: request.length_penalty ?? undefined,
      earlyStopping: request.early_stopping ?? undefined,
    },
  };
}

const apart = (field: string): ApiError =>
  refused(
    field,
    `${field} cannot be combined with a beam search, which compares the model's own probabilities at the end.`,
  );

const refused = (param: string, message: string): ApiError => new ApiError(400, 'invalid_value', message, { param });
