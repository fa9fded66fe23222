// `multipleOf`: decimal numerals whose value is a multiple, by their remainder. A factor with decimals allows as many behind
// the point; 0.01 is then exactly "two decimals", which binary floats cannot say.

import { complement, setOf, setOfRanges, union } from '../characters/code-point-set.ts';
import type { CharacterAutomaton } from '../regex/automaton.ts';
import { trimmed } from '../regex/automaton.ts';
import { type Place, refuse } from './schema.ts';

const maxRemainders = 2_000;
const maxDecimals = 10;

export function multiplesAutomaton(place: Place, factor: number): CharacterAutomaton {
  if (!(factor > 0)) return refuse(place, 'multipleOf', 'it must be above 0');
  let decimals = 0;
  while (decimals <= maxDecimals && !Number.isInteger(Number((factor * 10 ** decimals).toPrecision(15)))) decimals++;
  const steps = Number((factor * 10 ** decimals).toPrecision(15));
  if (decimals > maxDecimals || steps > maxRemainders)
    return refuse(place, 'multipleOf', `${factor} has more than ${maxRemainders} remainders`);
  // State: how many digits behind the point (0: before it), and the remainder of the digits so far.
  const stateOf = (behind: number, remainder: number): number => 1 + behind * steps + remainder;
  const digits = Array.from({ length: 10 }, (_, digit) => setOfRanges([[48 + digit, 48 + digit]]));
  const classes = [...digits, setOf('-'), setOf('.'), complement(union(setOfRanges([[48, 57]]), setOf('-', '.')))];
  const states: { next: number[]; final: boolean }[] = [
    { next: [...digits.map((_, digit) => stateOf(0, digit % steps)), 0, -1, -1], final: false },
  ];
  for (let behind = 0; behind <= decimals + 1; behind++)
    for (let remainder = 0; remainder < steps; remainder++) {
      const read = behind <= 1 ? 0 : behind - 1;
      const full = behind > 0 && read >= decimals;
      const next = digits.map((_, digit) =>
        full ? -1 : stateOf(behind === 0 ? 0 : behind + 1, (remainder * 10 + digit) % steps),
      );
      states.push({
        next: [...next, -1, behind === 0 && decimals > 0 ? stateOf(1, remainder) : -1, -1],
        final: behind !== 1 && (remainder * 10 ** (decimals - read)) % steps === 0,
      });
    }
  return trimmed({ classes, states });
}
