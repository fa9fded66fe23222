// Matching by backtracking, with a limit. JavaScript's own regular expressions cannot be stopped, so an expression from a
// stranger's tokenizer.json (`(a+)+$`) could hang a server; here every step is counted. Choices are on a stack of their own,
// so a long text is no deep recursion.

import { QuernError } from '@quern/errors';
import { membershipOf } from './character-set.ts';
import { parseExpression } from './parse.ts';
import { compileProgram, type Instruction } from './program.ts';
import { ExpressionError } from './reader.ts';

export interface Expression {
  /** The matches in `text` from left to right, not overlapping: start and end of each, one after the other. */
  matches(text: string): number[];
}

/** Steps for a text: expressions in use take some ten a character. */
const stepsPerText = 1_000_000;
const stepsPerCharacter = 1000;
/** Choices that are open at one time. */
const maxOpen = 10_000_000;

const isWord = membershipOf({
  ...{ negated: false, nested: [], and: [], ignoreCase: false },
  members: ['\\p{L}', '\\p{M}', '\\p{N}', '\\p{Pc}'],
});

/** @throws QuernError `pre-tokenizer-unsupported`; `matches` throws `pre-tokenizer-too-slow` */
export function compileExpression(source: string): Expression {
  const program = readProgram(source);
  return {
    matches(text) {
      const search = new Search(text, source);
      const found: number[] = [];
      for (let at = 0; at <= text.length; ) {
        const end = search.run(program, at);
        if (end > at) found.push(at, end);
        if (end === at) found.push(at, at);
        at = end > at ? end : at + widthAt(text, at);
      }
      return found;
    },
  };
}

function readProgram(source: string): readonly Instruction[] {
  try {
    return compileProgram(parseExpression(source));
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    throw new QuernError(
      'pre-tokenizer-unsupported',
      `The expression ${JSON.stringify(source.slice(0, 200))} of the tokenizer cannot be read: ${error.message}.`,
      { file: 'tokenizer.json', remedy: 'Correct the expression; it is in the dialect of Oniguruma.' },
    );
  }
}

const widthAt = (text: string, at: number): number => ((text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1);

class Search {
  readonly #text: string;
  readonly #source: string;
  #stepsLeft: number;

  constructor(text: string, source: string) {
    this.#text = text;
    this.#source = source;
    this.#stepsLeft = stepsPerText + stepsPerCharacter * text.length;
  }

  /** Where a match that begins at `start` ends; -1 when there is none. @param mustEnd where it has to end, if anywhere */
  run(program: readonly Instruction[], start: number, mustEnd = -1): number {
    const open: number[] = [];
    let pc = 0;
    let at = start;
    for (;;) {
      if (--this.#stepsLeft < 0 || open.length > maxOpen) throw this.#tooSlow();
      const instruction = program[pc] as Instruction;
      if (instruction.op === 'end' && (mustEnd < 0 || mustEnd === at)) return at;
      const next = this.#step(instruction, at);
      if (instruction.op === 'either') open.push(instruction.second, at);
      if (next >= 0) {
        at = next;
        pc = instruction.op === 'either' ? instruction.first : instruction.op === 'jump' ? instruction.to : pc + 1;
        continue;
      }
      if (open.length === 0) return -1;
      at = open.pop() as number;
      pc = open.pop() as number;
    }
  }

  /** The place behind what an instruction takes; -1 when it fails. */
  #step(instruction: Instruction, at: number): number {
    switch (instruction.op) {
      case 'character': {
        const codePoint = this.#text.codePointAt(at);
        return codePoint !== undefined && instruction.has(codePoint) ? at + (codePoint > 0xffff ? 2 : 1) : -1;
      }
      case 'either':
      case 'jump':
        return at;
      case 'place':
        return this.#isAt(instruction.at, at) ? at : -1;
      case 'inner': {
        const end = this.run(instruction.of, at);
        if (end >= 0 === instruction.negated) return -1;
        return instruction.keeps ? end : at;
      }
      case 'behind': {
        let from = at;
        let found = false;
        for (let length = 0; length <= instruction.lengths.max && !found; length++) {
          if (length > 0) {
            if (from === 0) break;
            from -= from > 1 && widthAt(this.#text, from - 2) === 2 ? 2 : 1;
          }
          found = length >= instruction.lengths.min && this.run(instruction.of, from, at) >= 0;
        }
        return found === instruction.negated ? -1 : at;
      }
      case 'end':
        return -1;
    }
  }

  #isAt(place: string, at: number): boolean {
    const text = this.#text;
    switch (place) {
      case 'text start':
        return at === 0;
      case 'text end':
        return at === text.length;
      case 'line start':
        return at === 0 || (text[at - 1] === '\n' && at < text.length);
      case 'line end':
        return at === text.length || text[at] === '\n';
      default: {
        const before = at > 1 && widthAt(text, at - 2) === 2 ? text.codePointAt(at - 2) : text.codePointAt(at - 1);
        const after = text.codePointAt(at);
        const isEdge = (at > 0 && isWord(before as number)) !== (after !== undefined && isWord(after));
        return isEdge === (place === 'word edge');
      }
    }
  }

  #tooSlow(): QuernError {
    return new QuernError(
      'pre-tokenizer-too-slow',
      `The expression ${JSON.stringify(this.#source.slice(0, 200))} of the tokenizer takes too long on a text of ${this.#text.length} characters.`,
      { file: 'tokenizer.json', remedy: 'Use another model: its expression tries too many ways to match.' },
    );
  }
}
