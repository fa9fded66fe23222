// From a request to the sequences that answer it: one, branches that begin when its prompt has been computed, or the lanes of a
// beam search.
import { QuernError } from '@quern/errors';
import { BeamRun } from './beams/beam-run.ts';
import { type Grammars, noVocabulary } from './grammars.ts';
import type { GenerateOptions } from './request.ts';
import { type Outcome, Sequence, type SequenceLimits } from './scheduling/sequence.ts';

export interface EngineLimits extends SequenceLimits {
  readonly maxSequences: number;
  readonly blocks: number;
  readonly blockTokens: number;
}

type Emit = (outcome: Outcome) => void;

/** @returns for each of `emits` the sequence that stands for it; the first is to be queued. */
export function sequencesOf(
  prompt: Int32Array,
  options: GenerateOptions,
  emits: readonly Emit[],
  limits: EngineLimits,
  grammars: Grammars | undefined,
): Sequence[] {
  const { beams } = options;
  if (beams) return lanesOf(prompt, { ...options, beams }, emits, limits);
  const first = new Sequence(prompt, options, limits, emits[0]!);
  first.branches = emits.slice(1).map((emit, i) => {
    const seed = (first.seed + i + 1) % Number.MAX_SAFE_INTEGER;
    return new Sequence(prompt, { ...options, sampling: { ...options.sampling, seed } }, limits, emit);
  });
  const all = [first, ...first.branches];
  if (options.grammar) {
    if (!grammars) throw noVocabulary();
    for (const sequence of all)
      sequence.constraint = grammars.constraint(options.grammar, options.grammarTrigger, sequence.stopTokens);
  }
  return all;
}

function lanesOf(
  prompt: Int32Array,
  options: GenerateOptions & Required<Pick<GenerateOptions, 'beams'>>,
  emits: readonly Emit[],
  limits: EngineLimits,
): Sequence[] {
  const seed = options.sampling?.seed ?? 0; // nothing is drawn
  const laneOptions = { ...options, sampling: { ...options.sampling, seed }, maxDrafts: 0 };
  // A lane ends with its search, which tells all replies.
  const { lanes } = new BeamRun(options, emits, () => new Sequence(prompt, laneOptions, limits, () => {}));
  checkRoom(lanes, limits);
  return lanes.slice(0, emits.length);
}

/** All lanes must run at a time: a search chooses when the last of them has been computed. */
function checkRoom(lanes: readonly Sequence[], { maxSequences, blocks, blockTokens }: EngineLimits): void {
  const { promptTokens, endTokens } = lanes[0]!;
  const beams = `A search with ${lanes.length} beams`;
  if (lanes.length > maxSequences)
    throw new QuernError('beams-do-not-fit', `${beams} needs as many places; the engine has ${maxSequences}.`, {
      remedy: 'Ask for fewer beams, or start with more places for requests.',
    });
  const shared = Math.floor(promptTokens / blockTokens);
  const needed = shared + lanes.length * (Math.ceil(endTokens / blockTokens) - shared);
  if (needed > blocks)
    throw noRoomForLanes(
      `${beams} that go on to ${endTokens} tokens needs ${needed} cache blocks of ${blockTokens} tokens; there are ${blocks}.`,
    );
}

/** The default: blocks that the lanes shared are there no more, as another request found them to be damaged. */
export const noRoomForLanes = (
  message = 'The beams of a search no longer fit in the cache: it holds their beginning more than once.',
): QuernError =>
  new QuernError('beams-do-not-fit', message, {
    remedy: 'Ask for fewer beams or fewer tokens, or start with a larger cache.',
  });
