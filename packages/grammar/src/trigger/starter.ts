// What switches a grammar on: words, and regular expressions. The first capturing group of an expression says where the grammar
// begins, as in llama.cpp; without one it begins where the expression does. All of it are automata, so that a text is read once.
import { QuernError } from '@quern/errors';
import type { ByteAutomaton } from '../expression.ts';
import { textsAutomaton } from '../regex/automaton.ts';
import { utf8Automaton } from '../regex/bytes.ts';
import { automatonOf, isStart, looksBack } from '../regex/compile.ts';
import { RegexError, type RegexNode } from '../regex/node.ts';
import { parseRegex } from '../regex/parse.ts';
import { boundedWork } from '../work.ts';

export interface GrammarTrigger {
  readonly words?: readonly string[];
  readonly tokens?: readonly number[];
  /** Regular expressions that are looked for in all of the text. */
  readonly patterns?: readonly string[];
  /** Whether the grammar reads what switched it on (`word`), or begins behind it. Default `word`, as in llama.cpp. */
  readonly from?: 'word' | 'behind';
}

/** An automaton as a table: 256 states behind each, -1 for none. */
export interface Table {
  readonly next: Int32Array;
  readonly final: Uint8Array;
}

export interface Starter {
  /** What stands in front of the place where the grammar begins; undefined: anything. */
  readonly before: Table | undefined;
  /** Only at the beginning of the text. */
  readonly anchored: boolean;
  /** From there on. */
  readonly inside: Table;
}

/** They are made once more for each reply. */
const maxTriggerSteps = 300_000;
const end: RegexNode = { kind: 'assertion', asserts: 'end' };
const start: RegexNode = { kind: 'assertion', asserts: 'start' };

/** @throws QuernError `grammar-trigger-invalid`, `grammar-too-much-work` */
export function startersOf({ words = [], patterns = [] }: GrammarTrigger): Starter[] {
  const make = (): Starter[] => [
    ...(words.length > 0 ? [{ before: undefined, anchored: false, inside: tableOf(textsAutomaton(words)) }] : []),
    ...patterns.flatMap(startersOfPattern),
  ];
  return boundedWork(make, maxTriggerSteps).made;
}

function startersOfPattern(pattern: string): Starter[] {
  try {
    const node = parseRegex(pattern);
    return (node.kind === 'choice' ? node.options : [node]).map(starterOf);
  } catch (error) {
    if (!(error instanceof RegexError)) throw error;
    const problem = `The grammar cannot wait for ${JSON.stringify(pattern.slice(0, 200))}: ${error.message}.`;
    throw new QuernError('grammar-trigger-invalid', problem);
  }
}

function starterOf(option: RegexNode): Starter {
  const items = option.kind === 'sequence' && !option.captured ? option.items : [option];
  const group = items.findIndex(isGroup);
  if (group < 0 && items.some(holdsGroup))
    throw new RegexError(
      'its first group, which says where the grammar begins, is repeated or stands in another group',
    );
  const before = group < 0 ? items.filter((item, i) => i === 0 && isStart(item)) : items.slice(0, group);
  const inside = items.slice(before.length);
  if (inside.some(looksBack)) throw new RegexError('where the grammar begins, it looks back (^ or \\b)');
  const anchored = before[0] !== undefined && isStart(before[0]);
  const free = before.filter((item) => !isStart(item));
  return {
    anchored: anchored && free.length === 0,
    before: free.length === 0 ? undefined : tableOf(automatonOf({ kind: 'sequence', items: [...before, end] })),
    inside: tableOf(automatonOf({ kind: 'sequence', items: [start, ...inside, end] })),
  };
}

const isGroup = (node: RegexNode): boolean => node.kind === 'sequence' && node.captured === true;
function holdsGroup(node: RegexNode): boolean {
  if (isGroup(node)) return true;
  if (node.kind === 'sequence') return node.items.some(holdsGroup);
  if (node.kind === 'choice') return node.options.some(holdsGroup);
  return node.kind === 'repeat' && holdsGroup(node.item);
}

function tableOf(characters: Parameters<typeof utf8Automaton>[0]): Table {
  const { states }: ByteAutomaton = utf8Automaton(characters);
  const next = new Int32Array(256 * states.length).fill(-1);
  const final = new Uint8Array(states.length);
  for (const [state, { edges, final: ends }] of states.entries()) {
    final[state] = ends ? 1 : 0;
    for (const [low, high, target] of edges) next.fill(target, 256 * state + low, 256 * state + high + 1);
  }
  return { next, final };
}
