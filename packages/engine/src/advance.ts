// What becomes of a sequence when the logits behind its last token are there: the next token is sampled and told, and what
// follows the tokens that were guessed, as long as they were right.
import { QuernError } from '@quern/errors';
import { logSumExp, topLogProbs } from './sampling/log-probs.ts';
import type { Outcome, Sequence } from './scheduling/sequence.ts';

type End = (sequence: Sequence, outcome: Outcome) => void;

/**
 * @param rows logits behind its last token and behind each of its drafts
 * @returns how many of its drafts were right
 */
export function advance(sequence: Sequence, rows: readonly Float32Array[], end: End): number {
  const { drafts } = sequence;
  sequence.drafts = [];
  sequence.draftTokens += rows.length - 1;
  let accepted = 0;
  while (sample(sequence, rows[accepted]!, end) === drafts[accepted] && accepted + 1 < rows.length && !sequence.ended) {
    sequence.computed++;
    sequence.acceptedTokens++;
    accepted++;
  }
  return accepted;
}

/** Samples the next token of a sequence; undefined when it ends without one. */
function sample(sequence: Sequence, logits: Float32Array, end: End): number | undefined {
  try {
    const report = reportLogProbs(logits, sequence.logprobs);
    sequence.constraint?.apply(logits);
    const token = sequence.sampler.sample(logits);
    sequence.markToken();
    if (sequence.stopTokens.has(token)) {
      end(sequence, { event: sequence.finishEvent('stop', token) });
      return undefined;
    }
    sequence.constraint?.accept(token);
    sequence.tokens.push(token);
    const first = sequence.generated === 1 ? { cachedTokens: sequence.cachedTokens } : {};
    sequence.emit({ event: { token, ...first, ...report(token) } });
    if (sequence.constraint?.finished) end(sequence, { event: sequence.finishEvent('stop') });
    if (!sequence.ended && sequence.tokens.length >= sequence.endTokens)
      end(sequence, { event: sequence.finishEvent('length') });
    return token;
  } catch (error) {
    if (!(error instanceof QuernError)) throw error;
    end(sequence, { error });
    return undefined;
  }
}

/** Reads what will be reported before the sampler overwrites the logits. */
function reportLogProbs(logits: Float32Array, count: number | undefined) {
  if (count === undefined) return () => ({});
  const normalizer = logSumExp(logits);
  const top = count > 0 ? { top: topLogProbs(logits, normalizer, count) } : {};
  const original = logits.slice();
  return (token: number) => ({ logprob: original[token]! - normalizer, ...top });
}
