// `pattern` of a step in tokenizer.json: a text, or a regular expression.

import { compileExpression } from '../expression/matcher.ts';
import { asObject, asString, malformed } from '../huggingface/checkpoint-files.ts';

/** Places of the matches in a text: start and end of each, one after the other. */
export type Find = (text: string) => readonly number[];

const file = 'tokenizer.json';

export function finderOf(value: unknown, what: string): Find {
  const pattern = typeof value === 'string' ? { String: value } : asObject(value, file, what);
  if (pattern.Regex !== undefined) return finderOfExpression(asString(pattern.Regex, file, `${what}.Regex`));
  const wanted = asString(pattern.String, file, `${what}.String`);
  if (wanted === '') throw malformed(file, `is malformed: ${what} is an empty text`);
  return (text) => {
    const places: number[] = [];
    for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + wanted.length))
      places.push(at, at + wanted.length);
    return places;
  };
}

export function finderOfExpression(source: string): Find {
  const expression = compileExpression(source);
  return (text) => expression.matches(text);
}
