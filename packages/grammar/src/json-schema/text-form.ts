// How a text stands: quoted as JSON has it, or bare where a format has tags of its own around each value.
import { automaton, choice, type Expression, text } from '../expression.ts';
import { anyValue, stringOf } from '../json/values.ts';
import { acceptsNothing, acceptsText, intersectionOf } from '../regex/automaton.ts';
import { bareTextAutomaton } from '../regex/bytes.ts';
import { textsWithout } from '../regex/without.ts';
import { insideOf, type Texts } from './scalars.ts';

export interface TextForm {
  /** Any value at all. */
  readonly anything: Expression;
  one(text: string): Expression;
  matching(texts: Texts): Expression;
}

export const quotedTexts: TextForm = {
  anything: anyValue,
  one: (value) => text(JSON.stringify(value)),
  matching: (texts) => stringOf(insideOf(texts), texts.min, texts.max),
};

/** The whole value up to what ends it. JSON that stands there is such a text too, so any value is any text. */
export function bareTexts(without: readonly string[]): TextForm {
  const clear = textsWithout(without);
  const any = automaton(bareTextAutomaton(clear));
  return {
    anything: any,
    one: (value) => (acceptsText(clear, value) ? text(value) : choice([])),
    matching: ({ automaton: own, min, max }) => {
      if (!own) return automaton(bareTextAutomaton(clear), min, max);
      const both = intersectionOf(own, clear);
      return acceptsNothing(both) ? choice([]) : automaton(bareTextAutomaton(both), min, max);
    },
  };
}
