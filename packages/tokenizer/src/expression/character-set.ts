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

/** A set that is repeated a thousand times is one. */
const memberships = new WeakMap<CharacterSet, Membership>();

/** @throws SyntaxError a property that Unicode does not have, a range the wrong way round */
export function membershipOf(set: CharacterSet): Membership {
  const known = memberships.get(set);
  if (known) return known;
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
  const membership = remembered(isMember);
  memberships.set(set, membership);
  return membership;
}

/** In pages of 256 characters, those that are asked of: an expression may have thousands of sets. */
function remembered(isMember: Membership): Membership {
  const pages = new Map<number, Uint8Array>();
  return (codePoint) => {
    let page = pages.get(codePoint >> 8);
    if (!page) {
      page = new Uint8Array(256);
      pages.set(codePoint >> 8, page);
    }
    const at = codePoint & 255;
    if (page[at] === 0) page[at] = isMember(codePoint) ? 1 : 2;
    return page[at] === 1;
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
