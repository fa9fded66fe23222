// A regular expression as a program for matcher.ts: a list of instructions.

import { type Membership, membershipOf } from './character-set.ts';
import { canBeEmpty, type Node, type Place } from './node.ts';
import { ExpressionError } from './reader.ts';

export type Instruction =
  | { readonly op: 'character'; readonly has: Membership }
  /** Goes on at `first`, and where that fails at `second`. */
  | { readonly op: 'either'; first: number; second: number }
  | { readonly op: 'jump'; to: number }
  | { readonly op: 'place'; readonly at: Place }
  /** Goes on at `next` when the program `of` matches here (does not, when negated); `keeps`: behind what it matched. */
  | { readonly op: 'inner'; readonly of: readonly Instruction[]; readonly negated: boolean; readonly keeps: boolean }
  /** The same before this place. */
  | { readonly op: 'behind'; readonly of: readonly Instruction[]; readonly negated: boolean; readonly lengths: Lengths }
  | { readonly op: 'end' };

/** In characters. */
interface Lengths {
  readonly min: number;
  readonly max: number;
}

/** Counted repetitions are written out. */
const maxInstructions = 100_000;

/** @throws ExpressionError */
export function compileProgram(node: Node): readonly Instruction[] {
  const program: Instruction[] = [];
  write(node, program);
  program.push({ op: 'end' });
  return program;
}

function write(node: Node, program: Instruction[]): void {
  if (program.length > maxInstructions) throw new ExpressionError('its counts are too large');
  switch (node.kind) {
    case 'set':
      program.push({ op: 'character', has: membershipOf(node.set) });
      return;
    case 'sequence':
      for (const part of node.of) write(part, program);
      return;
    case 'choice':
      writeChoice(node.of, program);
      return;
    case 'repeat':
      if (node.mode === 'possessive')
        program.push({ op: 'inner', of: compileProgram({ ...node, mode: 'greedy' }), negated: false, keeps: true });
      else writeRepeat(node, program);
      return;
    case 'atomic':
      program.push({ op: 'inner', of: compileProgram(node.of), negated: false, keeps: true });
      return;
    case 'look':
      if (node.behind)
        program.push({ op: 'behind', of: compileProgram(node.of), negated: node.negated, lengths: lengthsOf(node.of) });
      else program.push({ op: 'inner', of: compileProgram(node.of), negated: node.negated, keeps: false });
      return;
    case 'place':
      program.push({ op: 'place', at: node.at });
  }
}

function writeChoice(choices: readonly Node[], program: Instruction[]): void {
  const jumps: { op: 'jump'; to: number }[] = [];
  choices.forEach((choice, index) => {
    if (index === choices.length - 1) {
      write(choice, program);
      return;
    }
    const either = { op: 'either' as const, first: program.length + 1, second: 0 };
    program.push(either);
    write(choice, program);
    const jump = { op: 'jump' as const, to: 0 };
    program.push(jump);
    jumps.push(jump);
    either.second = program.length;
  });
  for (const jump of jumps) jump.to = program.length;
}

function writeRepeat({ of, min, max, mode }: Extract<Node, { kind: 'repeat' }>, program: Instruction[]): void {
  const isLazy = mode === 'lazy';
  for (let i = 0; i < min; i++) write(of, program);
  if (max === Number.POSITIVE_INFINITY) {
    if (canBeEmpty(of)) throw new ExpressionError('it repeats without end what may be empty');
    const start = program.length;
    const either = fork(isLazy, program);
    write(of, program);
    program.push({ op: 'jump', to: start });
    either(program.length);
    return;
  }
  const ends: ((place: number) => void)[] = [];
  for (let i = min; i < max; i++) {
    ends.push(fork(isLazy, program));
    write(of, program);
  }
  for (const end of ends) end(program.length);
}

/** Either what is written next, or what follows the place that the result is told; the first is tried first, unless lazy. */
function fork(isLazy: boolean, program: Instruction[]): (end: number) => void {
  const either = { op: 'either' as const, first: program.length + 1, second: program.length + 1 };
  program.push(either);
  return (end) => {
    either[isLazy ? 'first' : 'second'] = end;
  };
}

/** @throws ExpressionError where a look behind could be of any length, as Oniguruma does */
function lengthsOf(node: Node): Lengths {
  switch (node.kind) {
    case 'set':
      return { min: 1, max: 1 };
    case 'sequence':
      return node.of.map(lengthsOf).reduce((a, b) => ({ min: a.min + b.min, max: a.max + b.max }), { min: 0, max: 0 });
    case 'choice': {
      const all = node.of.map(lengthsOf);
      return { min: Math.min(...all.map(({ min }) => min)), max: Math.max(...all.map(({ max }) => max)) };
    }
    case 'repeat': {
      if (node.max === Number.POSITIVE_INFINITY) throw new ExpressionError('it looks behind without a limit');
      const { min, max } = lengthsOf(node.of);
      return { min: min * node.min, max: max * node.max };
    }
    case 'atomic':
      return lengthsOf(node.of);
    default:
      return { min: 0, max: 0 };
  }
}
