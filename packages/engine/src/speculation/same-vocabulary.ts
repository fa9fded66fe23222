// A small model can guess for a large one when both mean the same by a token's number. As llama.cpp has it
// (common/speculative.cpp): the same kind of tokenizer, the same texts from token 5 on, and at most 128 tokens more in one of
// them, which padding and added tokens make up.
import type { ModelView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';

const FIRST = 5;
const MOST_MORE = 128;

/** @throws QuernError `draft-vocabulary-differs` */
export function requireSameVocabulary(model: ModelView, small: ModelView): void {
  const [kind, smallKind] = [model, small].map(kindOf);
  if (kind !== smallKind) throw differs(small, `its tokenizer is ${smallKind}, the model's ${kind}`);
  const [tokens, smallTokens] = [tokensOf(model), tokensOf(small)];
  if (Math.abs(tokens.length - smallTokens.length) > MOST_MORE)
    throw differs(small, `it has ${smallTokens.length} tokens, the model ${tokens.length}`);
  for (let token = FIRST; token < Math.min(tokens.length, smallTokens.length); token++)
    if (tokens[token] !== smallTokens[token])
      throw differs(
        small,
        `token ${token} is ${JSON.stringify(smallTokens[token])} in it, ${JSON.stringify(tokens[token])} in the model`,
      );
}

const kindOf = ({ metadata }: ModelView): unknown => metadata.get('tokenizer.ggml.model')?.value;

function tokensOf({ metadata }: ModelView): readonly unknown[] {
  const tokens = metadata.get('tokenizer.ggml.tokens');
  return tokens?.type === 'array' ? tokens.value : [];
}

const differs = ({ path: file }: ModelView, what: string): QuernError =>
  new QuernError('draft-vocabulary-differs', `The draft model cannot guess for this model: ${what}.`, {
    file,
    remedy: 'Take a smaller model of the same family.',
  });
