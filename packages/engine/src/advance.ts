// What becomes of a sequence when the logits behind its last token are there: the next token is sampled and told, and what
// follows the tokens that were guessed, as long as they were right.
import { QuernError } from '@quern/errors';
import { highestIn, type LogitRow } from './logit-rows.ts';
import { topLogProbs } from './sampling/log-probs.ts';
import type { Outcome, Sequence } from './scheduling/sequence.ts';

type End = (sequence: Sequence, outcome: Outcome) => void;

/**
 * @param rows logits behind its last token and behind each of its drafts
 * @returns how many of its drafts were right
 */
export function advance(sequence: Sequence, rows: readonly LogitRow[], end: End): number {
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
function sample(sequence: Sequence, row: LogitRow, end: End): number | undefined {
  try {
    const report = reportLogProbs(row, sequence.logprobs);
    // What forbids tokens is given all of them.
    if (row instanceof Float32Array) sequence.rules?.apply(row, sequence);
    if (row instanceof Float32Array) sequence.constraint?.apply(row);
    const { token, ...probabilities } = sampleFrom(row, sequence);
    sequence.markToken();
    if (sequence.stopTokens.has(token)) {
      end(sequence, { event: sequence.finishEvent('stop', token) });
      return undefined;
    }
    sequence.constraint?.accept(token);
    sequence.tokens.push(token);
    const first = sequence.generated === 1 ? { cachedTokens: sequence.cachedTokens } : {};
    sequence.emit({ event: { token, ...first, ...report(token), ...probabilities } });
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

function sampleFrom(row: LogitRow, { sampler, samplingProbs, dictated, generated }: Sequence) {
  const word = dictated?.[generated];
  if (word !== undefined) return { token: word };
  if (samplingProbs === undefined) return { token: sampler.sample(row) };
  const { likeliest, ...chosen } = sampler.sampleAndTell(row, samplingProbs);
  return samplingProbs > 0 ? { ...chosen, likeliest } : chosen;
}

/** Reads what will be reported before the sampler overwrites the logits. */
function reportLogProbs(row: LogitRow, count: number | undefined) {
  if (count === undefined) return () => ({});
  const highest = highestIn(row, count);
  const top = count > 0 ? { top: topLogProbs(highest, count) } : {};
  const all = row instanceof Float32Array ? row.slice() : undefined;
  const logitOf = (token: number): number => all?.[token] ?? highest.logits[highest.tokens.indexOf(token)]!;
  return (token: number) => ({ logprob: logitOf(token) - highest.logSumExp!, ...top });
}
