// A set of characters in a regular expression: `[^\r\n\p{L}]`, `\p{Han}`, `\s`. Membership is asked of JavaScript's own
// Unicode tables, once a character.

export interface CharacterSet {
  readonly negated: boolean;
  /** Source of the members in JavaScript's dialect (flag u): characters, ranges, properties. */
  readonly members: readonly string[];
  readonly nested: readonly CharacterSet[];
  /** Further sets that a character must be in (`&&`). */
  readonly and: readonly CharacterSet[];
  readonly ignoreCase: boolean;
}

export type Membership = (codePoint: number) => boolean;

/** @throws SyntaxError a property that Unicode does not have, a range the wrong way round */
export function membershipOf(set: CharacterSet): Membership {
  const members = set.members.join('');
  const expression = members === '' ? undefined : new RegExp(`^[${members}]$`, set.ignoreCase ? 'iu' : 'u');
  const nested = set.nested.map(membershipOf);
  const and = set.and.map(membershipOf);
  const isMember: Membership = (codePoint) => {
    const inside =
      (expression?.test(String.fromCodePoint(codePoint)) || nested.some((has) => has(codePoint))) &&
      and.every((has) => has(codePoint));
    return inside !== set.negated;
  };
  return remembered(isMember);
}

function remembered(isMember: Membership): Membership {
  const known = new Uint8Array(0x10000);
  return (codePoint) => {
    if (codePoint > 0xffff) return isMember(codePoint);
    if (known[codePoint] === 0) known[codePoint] = isMember(codePoint) ? 1 : 2;
    return known[codePoint] === 1;
  };
}

/** One text for all ways to write a set. */
export function canonicalSet(set: CharacterSet): string {
  const cases = set.ignoreCase ? set.members.map(inBothCases) : set.members.map((member) => [member]);
  const isWrittenOut = cases.every((both) => both !== undefined);
  const members = isWrittenOut ? cases.flat() : set.members;
  const inner = [...new Set([...members, ...set.nested.map(canonicalSet)])].sort().join('');
  const and = set.and.map((other) => `&&${canonicalSet(other)}`).join('');
  return `[${set.negated ? '^' : ''}${isWrittenOut ? '' : '(?i)'}${inner}${and}]`;
}

/** Undefined where letters are meant that the member does not name one by one. */
function inBothCases(member: string): string[] | undefined {
  if (/^[a-zA-Z]$/.test(member)) return [member.toLowerCase(), member.toUpperCase()];
  const isSign = member.toLowerCase() === member.toUpperCase() || /^\\[nrt]$/.test(member);
  return isSign ? [member] : undefined;
}
