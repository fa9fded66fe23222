// The fields of generation for APIs whose answer is one reply with a limit of its own name.
import { endingFields } from './ending-fields.ts';
import { generationFields } from './generation-request.ts';
import { grammarFields } from './grammar-request.ts';
import { asksForSomething, type RefusedField } from './refused-fields.ts';
import { samplingFields } from './sampling-fields.ts';
import { tokenRuleFields } from './token-rule-fields.ts';

const { model, stream, priority, 'speculative.n_max': mostGuesses, lora, skip_special_tokens } = generationFields;

export const oneReplyFields = {
  ...{ model, stream, priority, 'speculative.n_max': mostGuesses, lora, skip_special_tokens },
  ...endingFields,
  ...tokenRuleFields,
  ...samplingFields,
  ...grammarFields,
};

const severalReplies = (value: unknown): boolean => asksForSomething(value) && value !== 1;
const limits = ['max_tokens', 'max_completion_tokens', 'max_new_tokens', 'n_predict', 'max_output_tokens'];

/** @param limit the API's own field for the most tokens of a reply */
export const oneReplyRefusals = (limit: string): readonly RefusedField[] => [
  ...['n', 'best_of'].map((field) => ({ field, asks: severalReplies, why: 'The answer is one reply.' })),
  ...['use_beam_search', 'length_penalty', 'early_stopping'].map((field) => ({
    field,
    asks: asksForSomething,
    why: 'Beams are searched by /v1/completions and /v1/chat/completions.',
  })),
  ...limits
    .filter((field) => field !== limit)
    .map((field) => ({ field, asks: asksForSomething, why: `Use ${limit}.` })),
];
