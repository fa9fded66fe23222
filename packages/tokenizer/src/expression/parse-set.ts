// Sets of characters in brackets: `[^\r\n\p{L}]`, `[\p{L}&&[^\p{Han}]]`, `[[:alpha:]_]`.

import type { CharacterSet } from './character-set.ts';
import { bracketOf, codePointLiteral, escapedCharacter, literal, propertyOf, shorthands } from './members.ts';
import { ExpressionError, type ExpressionReader } from './reader.ts';

export const plainSet = (
  { ignoreCase }: Pick<ExpressionReader, 'ignoreCase'>,
  members: readonly string[],
  negated: boolean,
): CharacterSet => ({ negated, members, nested: [], and: [], ignoreCase });

/** Behind `[`. */
export function parseSet(reader: ExpressionReader): CharacterSet {
  return reader.inside(() => {
    const negated = reader.take('^');
    const members: string[] = [];
    const nested: CharacterSet[] = [];
    const and: CharacterSet[] = [];
    let isFirst = true;
    while (isFirst || !reader.sees(']')) {
      if (reader.isAtEnd) throw new ExpressionError('a "[" has no "]"');
      isFirst = false;
      const [named, not, name = ''] = reader.match(/\[:(\^?)(\w+):\]/y) ?? [];
      if (named) nested.push(plainSet(reader, bracketOf(name), not === '^'));
      else if (reader.take('[')) nested.push(parseSet(reader));
      else if (reader.take('&&')) {
        and.push(...intersected(reader));
        break;
      } else member(reader, members, nested);
    }
    if (!reader.take(']')) throw new ExpressionError('a "[" has no "]"');
    return { negated, members, nested, and, ignoreCase: reader.ignoreCase };
  });
}

/** What follows `&&` up to the end of the set, itself a set. */
function intersected(reader: ExpressionReader): CharacterSet[] {
  const members: string[] = [];
  const nested: CharacterSet[] = [];
  const and: CharacterSet[] = [];
  while (!reader.sees(']')) {
    if (reader.isAtEnd) throw new ExpressionError('a "[" has no "]"');
    if (reader.take('[')) nested.push(parseSet(reader));
    else if (reader.take('&&')) and.push(...intersected(reader));
    else member(reader, members, nested);
  }
  const [only] = nested;
  if (only && nested.length === 1 && members.length === 0) return [only, ...and];
  return [{ negated: false, members, nested, and: [], ignoreCase: reader.ignoreCase }, ...and];
}

function member(reader: ExpressionReader, members: string[], nested: CharacterSet[]): void {
  const low = setCharacter(reader, nested);
  if (typeof low !== 'string') {
    members.push(...(low ?? []));
    return;
  }
  if (!reader.sees('-') || reader.sees('-]')) {
    members.push(low);
    return;
  }
  reader.take('-');
  const high = setCharacter(reader, nested);
  if (typeof high === 'string') members.push(low === high ? low : `${low}-${high}`);
  else members.push(low, '\\-', ...(high ?? []));
}

/** A character, the members of a shorthand, or undefined where a negated shorthand went to `nested`. */
function setCharacter(reader: ExpressionReader, nested: CharacterSet[]): string | readonly string[] | undefined {
  const character = reader.next();
  if (character !== '\\') return literal(character);
  const [property] = reader.match(/[pP]\{[^}]*\}/y) ?? [];
  if (property) return [propertyOf(property)];
  const escaped = reader.next();
  const members = shorthands[escaped.toLowerCase()];
  if (members && escaped === escaped.toLowerCase()) return members;
  if (members) {
    nested.push(plainSet(reader, members, true));
    return undefined;
  }
  if (escaped === 'b') return codePointLiteral(8);
  return escapedCharacter(reader, escaped);
}
