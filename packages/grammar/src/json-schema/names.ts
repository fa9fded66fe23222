// Which names a schema allows (`propertyNames`): the texts of its alternatives.
import { anyText, type CharacterAutomaton, complementOf, intersectionOf, textsAutomaton } from '../regex/automaton.ts';
import type { Alternative } from './alternatives.ts';
import { formatAutomaton } from './formats.ts';
import { patternAutomaton, textsOf } from './scalars.ts';
import { type Place, refuse, stringOf } from './schema.ts';
import { typesOf } from './types.ts';
import { listedValues } from './values.ts';

export type AlternativesOf = (places: readonly Place[]) => readonly Alternative[];

export const namesAllowedBy = (place: Place, alternativesOf: AlternativesOf): CharacterAutomaton =>
  alternativesOf([place]).map(namesOf).reduce(eitherOf, textsAutomaton([]));

/** Formats are enforced by a part of what they allow, so what is not in it may be allowed all the same. */
export function namesRefusedBy(place: Place, alternativesOf: AlternativesOf): CharacterAutomaton {
  for (const leaf of alternativesOf([place]).flat()) {
    const format = stringOf(leaf, 'format');
    if (format !== undefined && formatAutomaton(format)) refuse(leaf, 'not', 'the opposite of format is not known');
  }
  return complementOf(namesAllowedBy(place, alternativesOf));
}

function namesOf(alternative: Alternative): CharacterAutomaton {
  const texts = typesOf(alternative).types.has('string') ? textsOf(alternative) : undefined;
  if (!texts) return textsAutomaton([]);
  let names = texts.automaton ?? anyText;
  if (texts.min > 0 || texts.max < Number.POSITIVE_INFINITY) {
    const most = texts.max === Number.POSITIVE_INFINITY ? '' : texts.max;
    names = intersectionOf(names, patternAutomaton(alternative[0]!, 'propertyNames', `^[^]{${texts.min},${most}}$`));
  }
  const values = listedValues(alternative);
  if (!values) return names;
  return intersectionOf(names, textsAutomaton(values.filter((value) => typeof value === 'string')));
}

const eitherOf = (a: CharacterAutomaton, b: CharacterAutomaton): CharacterAutomaton =>
  complementOf(intersectionOf(complementOf(a), complementOf(b)));
