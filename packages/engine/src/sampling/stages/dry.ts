// DRY, "don't repeat yourself" (p-e-w 2024): a token that would go on with a repetition loses
// multiplier · base^(length of the repetition - allowed length). Sequence breakers end what counts as a repetition.
import type { StageKind } from './stage.ts';
import { TokenWindow } from './token-window.ts';

/** A token in which a sequence breaker begins, and the tokens behind it that end the breaker; none if it lies within. */
export interface DryBreaker {
  readonly head: number;
  readonly tail: readonly number[];
}

/** ln of the largest f32: base^exponent must not become infinite. */
const LOG_OF_LARGEST = 88.7228391;

export const dry: StageKind = {
  letter: 'd',
  keepsBest: false,
  stage({ dryMultiplier, dryBase, dryAllowedLength, dryPenaltyLastN, dryBreakers }) {
    if (dryMultiplier === 0 || dryBase < 1 || dryPenaltyLastN === 0) return undefined;
    const window = new TokenWindow(dryPenaltyLastN < 0 ? Number.POSITIVE_INFINITY : dryPenaltyLastN);
    const [multiplier, base] = [Math.fround(dryMultiplier), Math.fround(dryBase)];
    const tails = tailsByHead(dryBreakers);
    const mostExponent = base > 1.000001 ? Math.trunc(LOG_OF_LARGEST / Math.log(base)) : Number.POSITIVE_INFINITY;
    return {
      accept: (token) => window.push(token),
      apply(candidates) {
        const repeats = repetitions(window, dryAllowedLength, tails);
        candidates.visit(repeats, (place, token) => {
          if (tails.get(token)?.some((tail) => tail.length === 0)) return;
          const exponent = Math.min(repeats.get(token)! - dryAllowedLength, mostExponent);
          candidates.logits[place] -= Math.fround(multiplier * base ** exponent);
        });
        candidates.sorted = false;
      },
    };
  },
};

type Tails = ReadonlyMap<number, readonly (readonly number[])[]>;

function tailsByHead(breakers: readonly DryBreaker[]): Tails {
  const tails = new Map<number, (readonly number[])[]>();
  for (const { head, tail } of breakers) tails.set(head, [...(tails.get(head) ?? []), tail]);
  return tails;
}

/** By token: how many of the last tokens stood before it earlier, at most; from `allowed` on. */
function repetitions(window: TokenWindow, allowed: number, tails: Tails): Map<number, number> {
  const longest = new Map<number, number>();
  if (window.size <= allowed) return longest;
  const limit = sinceBreaker(window, tails);
  if (limit < allowed) return longest;
  const lengths = repeatsOfEnd(window);
  for (let back = 1; back < window.size; back++) {
    const length = Math.min(lengths[back], limit);
    if (length < allowed) continue;
    const next = window.before(back - 1);
    if (length > (longest.get(next) ?? -1)) longest.set(next, length);
  }
  return longest;
}

/** How many tokens stand behind the last sequence breaker; all, without one. */
function sinceBreaker(window: TokenWindow, tails: Tails): number {
  for (let back = 0; back < window.size; back++) {
    const fitting = (tails.get(window.before(back)) ?? []).filter(
      (tail) => tail.length <= back && tail.every((token, index) => token === window.before(back - index - 1)),
    );
    if (fitting.length > 0) return back - Math.max(...fitting.map((tail) => tail.length));
  }
  return window.size;
}

/** For each `back`: how many tokens that end `back` places before the newest equal the last ones. Z algorithm (Gusfield 1997). */
function repeatsOfEnd(window: TokenWindow): Int32Array {
  const lengths = new Int32Array(window.size);
  let [left, right] = [0, 0];
  for (let back = 1; back < window.size; back++) {
    let length = back < right ? Math.min(right - back, lengths[back - left]) : 0;
    while (back + length < window.size && window.before(length) === window.before(back + length)) length++;
    lengths[back] = length;
    if (back + length > right) [left, right] = [back, back + length];
  }
  return lengths;
}
