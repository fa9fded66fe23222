// A regular expression as an automaton over whole texts. Patterns look anywhere in a text, as RegExp.test does, unless they
// are anchored. Lookahead is decided where it stands in the sequence of the whole expression: what follows must (not) be in
// a language of its own, which is an intersection (a difference) of automata.
import { allCharacters } from '../characters/code-point-set.ts';
import { type CharacterAutomaton, differenceOf, intersectionOf } from './automaton.ts';
import { RegexError, type RegexNode } from './node.ts';
import { parseRegex } from './parse.ts';
import { Thompson } from './thompson.ts';

/** Texts in which the expression matches somewhere. @throws RegexError */
export const searchAutomaton = (source: string): CharacterAutomaton => automatonOf(parseRegex(source));

/** Texts that match as a whole. @throws RegexError */
export function fullAutomaton(source: string): CharacterAutomaton {
  const whole: RegexNode[] = optionsOf(parseRegex(source)).map((items) => ({
    kind: 'sequence',
    items: [{ kind: 'assertion', asserts: 'start' }, ...items, { kind: 'assertion', asserts: 'end' }],
  }));
  return automatonOf({ kind: 'choice', options: whole });
}

/** Texts in which the tree matches somewhere. @throws RegexError */
export function automatonOf(node: RegexNode): CharacterAutomaton {
  const graph = new Thompson();
  return graph.determinize(graph.either(optionsOf(node).map((items) => layFrom(graph, items, true))));
}

const optionsOf = (node: RegexNode): RegexNode[][] =>
  node.kind === 'choice' ? node.options.flatMap(optionsOf) : [itemsOf(node)];
const itemsOf = (node: RegexNode): RegexNode[] => (node.kind === 'sequence' ? node.items.flatMap(itemsOf) : [node]);

function partsOf(node: RegexNode): readonly RegexNode[] {
  if (node.kind === 'sequence') return node.items;
  if (node.kind === 'choice') return node.options;
  return node.kind === 'repeat' ? [node.item] : node.kind === 'lookahead' ? [node.inner] : [];
}

/** Texts of which a beginning matches the items. */
function prefixAutomaton(items: readonly RegexNode[]): CharacterAutomaton {
  const graph = new Thompson();
  return graph.determinize(
    graph.either(optionsOf({ kind: 'sequence', items }).map((part) => layFrom(graph, part, false))),
  );
}

function layFrom(graph: Thompson, items: readonly RegexNode[], anywhere: boolean): number {
  const at = items.findIndex(({ kind }) => kind === 'lookahead');
  const lay = (parts: readonly RegexNode[], behind: number): number => {
    const start = graph.lay({ kind: 'sequence', items: parts }, behind);
    // Behind other characters nothing begins at the start, so an anchored expression is looked for there alone.
    return anywhere && !(parts[0] && isStart(parts[0])) ? graph.repeatedly(allCharacters, start) : start;
  };
  if (at < 0) return lay(items, graph.anything);
  const { inner, negated } = items[at] as Extract<RegexNode, { kind: 'lookahead' }>;
  const before = items.slice(0, at);
  const rest = items.slice(at + 1);
  const atStart = before.length > 0 ? before.every(isStart) : !anywhere;
  if (!atStart && [inner, ...rest].some(looksBack))
    throw new RegexError('what a lookahead sees looks back (^ or \\b), which cannot be enforced');
  const follows = prefixAutomaton(rest);
  const seen = prefixAutomaton([inner]);
  return lay(before, graph.embed(negated ? differenceOf(follows, seen) : intersectionOf(follows, seen)));
}

export const isStart = (node: RegexNode): boolean => node.kind === 'assertion' && node.asserts === 'start';
export const looksBack = (node: RegexNode): boolean =>
  (node.kind === 'assertion' && node.asserts !== 'end') || partsOf(node).some(looksBack);
