// What going through values may cost. Values that share parts are small and yet endless: thirty lists, each of which has the one
// before it twice, hold a billion. Steps of the program do not see that, so what walks through a value, or copies it, spends.
import { runaway } from './runaway.ts';

/** In characters, of which a value counts as many as cost the same: two million values, a second of work. */
const mostSpent = 2 ** 27;
const perValue = 64;

/** A rendering is one synchronous run, so there is never more than one that spends. */
let left = mostSpent;

export function withSpending<Result>(run: () => Result): Result {
  left = mostSpent;
  return run();
}

/** @throws QuernError `chat-template-runaway` */
export function spend(values: number, characters = 0): void {
  left -= perValue * values + characters;
  if (left < 0) throw runaway('goes through more values than any conversation has');
}

/** Of a text whose characters are counted, as many units cost what one does that is written. */
const unitsPerCharacter = 8;
export const spendOnCounting = (text: string): void => spend(0, text.length / unitsPerCharacter);

/** Code points, each a text of its own. */
export function charactersOf(text: string): string[] {
  spend(0, text.length);
  return [...text];
}
