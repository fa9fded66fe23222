// Marks as grammar: a tag is the special token of its name where the vocabulary has one.
import type { GrammarSource } from '@quern/grammar';

const tag = /(<[^<>\s][^<>]*>|\[\/?[A-Z][A-Z_ ]*\])/;

/** White space where models vary it. */
export const space: GrammarSource = { kind: 'regex', pattern: '[ \\n\\t]{0,16}' };

export const text = (literal: string): GrammarSource => ({ kind: 'text', text: literal });

export const sequence = (...parts: (GrammarSource | undefined)[]): GrammarSource => ({
  kind: 'sequence',
  parts: parts.filter((part) => part !== undefined),
});

export const oneOf = (options: readonly GrammarSource[]): GrammarSource =>
  options.length === 1 ? options[0]! : { kind: 'one-of', options };

export const optional = (item: GrammarSource): GrammarSource => ({ kind: 'optional', item });

export function markSource(mark: string): GrammarSource {
  const parts = mark.split(tag).filter((part) => part !== '');
  return sequence(...parts.map((part): GrammarSource => (tag.test(part) ? { kind: 'token', text: part } : text(part))));
}

/** Ids and numbers that differ from call to call. */
export const hole: GrammarSource = { kind: 'regex', pattern: '[A-Za-z0-9_-]{1,40}' };

/** @param inHole what may stand in the holes */
export const holedSource = (mark: readonly string[], inHole: GrammarSource = hole): GrammarSource =>
  sequence(...mark.flatMap((part, i) => [i > 0 ? inHole : undefined, part === '' ? undefined : markSource(part)]));

/** Any text up to a mark, and the mark. */
export const freeUntil = (mark: string): GrammarSource =>
  sequence({ kind: 'free', until: [mark.trim()] }, markSource(mark.trim()));
