// The texts in a source that may be meant as tokens, so that a thread without the vocabulary can compile it.
import { QuernError } from '@quern/errors';
import type { GrammarSource } from './source.ts';

const maxNames = 1_000;

/** @throws QuernError `grammar-too-large` */
export function tokenNames(source: GrammarSource): Set<string> {
  const names = new Set<string>();
  const pending: GrammarSource[] = [source];
  for (let next = pending.pop(); next; next = pending.pop()) {
    if (next.kind === 'token') names.add(next.text);
    // Also what stands in literals: the text is not parsed here.
    if (next.kind === 'gbnf') for (const [, name] of next.text.matchAll(/(?=(<[^>]{1,254}>))/g)) names.add(name!);
    if (next.kind === 'sequence') pending.push(...next.parts);
    if (next.kind === 'one-of') pending.push(...next.options);
    if (next.kind === 'optional' || next.kind === 'repeat') pending.push(next.item);
    if (next.kind === 'repeat' && next.separator) pending.push(next.separator);
    if (names.size > maxNames)
      throw new QuernError('grammar-too-large', `The grammar names more than ${maxNames} tokens.`);
  }
  return names;
}
