// A beam search on its way through the engine. Each beam is computed as a sequence of its own, its lane; when all have been,
// the search chooses. A beam that is followed more than once goes on in its lane and in those of beams that were given up: they
// share its whole blocks and copy the one that they write.
import { QuernError } from '@quern/errors';
import type { GenerateOptions, TokenEvent } from '../request.ts';
import type { TokenLogProb } from '../sampling/log-probs.ts';
import type { Scheduler } from '../scheduling/scheduler.ts';
import type { Outcome, Sequence } from '../scheduling/sequence.ts';
import { BeamSearch, type Path, type Reply } from './beam-search.ts';
import { refuseChanges, resolveBeams } from './options.ts';

export class BeamRun {
  /** One for each beam; the first reads the prompt. */
  readonly lanes: readonly Sequence[];
  readonly #emits: readonly ((outcome: Outcome) => void)[];
  readonly #search: BeamSearch;
  /** Of the beams that are followed, in their order. */
  #followed: readonly Sequence[];
  readonly #offers = new Map<Sequence, readonly TokenLogProb[]>();

  /**
   * @param makeLane a sequence of the request
   * @param emits for the best reply, the next best, and so on
   * @throws QuernError `request-invalid`
   */
  constructor(
    options: GenerateOptions & Required<Pick<GenerateOptions, 'beams'>>,
    emits: readonly ((outcome: Outcome) => void)[],
    makeLane: () => Sequence,
  ) {
    const beams = resolveBeams(options.beams);
    if (emits.length > beams.width)
      throw new QuernError('request-invalid', `A search with ${beams.width} beams has no ${emits.length} replies.`);
    this.lanes = Array.from({ length: beams.width }, makeLane);
    const first = this.lanes[0]!;
    refuseChanges(options);
    for (const lane of this.lanes) lane.beams = this;
    this.#emits = emits;
    this.#search = new BeamSearch(beams, {
      stopTokens: first.stopTokens,
      maxTokens: first.endTokens - first.promptTokens,
    });
    this.#followed = [first];
  }

  /** How many of the likeliest tokens are to be offered. */
  get needs(): number {
    return Math.max(this.#search.needs, this.lanes[0]!.logprobs ?? 0);
  }

  /** What may follow a lane's last token. One that had to wait and was computed again offers the same once more. */
  offer(lane: Sequence, offer: readonly TokenLogProb[]): void {
    this.#offers.set(lane, offer);
  }

  get canChoose(): boolean {
    return this.#followed.every((lane) => this.#offers.has(lane));
  }

  /** Lets the lanes go on; false when the search is over. */
  choose(scheduler: Scheduler): boolean {
    const steps = this.#search.advance(this.#followed.map((lane) => this.#offers.get(lane)!));
    this.#offers.clear();
    for (const lane of this.#followed) lane.markToken();
    if (steps.length === 0) return false;
    const sources = steps.map(({ from }) => this.#followed[from]!);
    const idle = this.lanes.filter((lane) => !sources.includes(lane));
    for (const lane of idle) scheduler.remove(lane, 'drop');
    this.#followed = sources.map((source, i) => {
      if (sources.indexOf(source) === i) return source;
      const lane = idle.pop()!;
      lane.tokens.length = 0;
      for (const token of source.tokens) lane.tokens.push(token);
      scheduler.fork(source, lane);
      return lane;
    });
    for (const [i, lane] of this.#followed.entries()) lane.tokens.push(steps[i]!.token);
    return true;
  }

  /** Tells all replies how the search ended; unless it failed or was cancelled, what it has found until then. */
  end(outcome: Outcome): void {
    const isAnswer =
      'event' in outcome && 'finishReason' in outcome.event && outcome.event.finishReason !== 'cancelled';
    const replies = isAnswer ? this.#search.best(this.#emits.length) : [];
    for (const [i, emit] of this.#emits.entries()) {
      const reply = replies[i];
      // A small vocabulary has fewer texts than there may be beams.
      if (reply) this.#tell(reply, emit);
      else emit(outcome);
    }
  }

  #tell({ path, end, score }: Reply, emit: (outcome: Outcome) => void): void {
    const first = this.lanes[0]!;
    const events = eventsOf(path, first.logprobs);
    const stopToken = end === 'stop' ? events.pop()!.token : undefined;
    for (const [i, event] of events.entries())
      emit({ event: i === 0 ? { ...event, cachedTokens: first.cachedTokens } : event });
    const finish = first.finishEvent(end === 'cut' ? 'deadline' : end, stopToken);
    emit({ event: { ...finish, generatedTokens: path.length, score } });
  }
}

function eventsOf(last: Path, logprobs: number | undefined): TokenEvent[] {
  const events: TokenEvent[] = [];
  for (let path: Path | undefined = last; path; path = path.before) {
    const { token, offer } = path;
    const top = logprobs ? { top: offer.slice(0, logprobs) } : {};
    events.push(logprobs === undefined ? { token: token.token } : { ...token, ...top });
  }
  return events.reverse();
}
