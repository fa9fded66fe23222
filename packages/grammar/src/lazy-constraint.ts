// A grammar that waits: the reply is free until a word or a token that switches the grammar on (a tool call, the end of
// reasoning). A token may hold the end of the word and what follows it, so such tokens are held to the grammar already: what
// has been switched on never begins with something that it forbids.
import { QuernError } from '@quern/errors';
import { Constraint } from './constraint.ts';
import type { Configuration } from './machine/configuration.ts';
import { Machine } from './machine/machine.ts';
import type { Program } from './machine/program.ts';
import type { Automaton } from './matcher.ts';
import { TokenMask } from './tokens/token-mask.ts';
import { walk } from './tokens/walk.ts';

export interface GrammarTrigger {
  readonly words?: readonly string[];
  readonly tokens?: readonly number[];
  /** Whether the grammar reads what switched it on (`word`), or begins behind it. Default `word`, as in llama.cpp. */
  readonly from?: 'word' | 'behind';
}

/** A place in the free text: the longest end of it that begins a word, a character for each byte. */
type Begun = string;

const bytewise = (word: string): string => String.fromCharCode(...new TextEncoder().encode(word));
const bytesOf = (begun: Begun): Uint8Array => Uint8Array.from(begun, (character) => character.charCodeAt(0));

export class LazyConstraint {
  readonly #automaton: Automaton;
  readonly #stopTokens: ReadonlySet<number>;
  readonly #words: readonly string[];
  readonly #tokens: ReadonlySet<number>;
  readonly #from: 'word' | 'behind';
  readonly #masks = new Map<Begun, TokenMask>();
  #begun: Begun = '';
  #active?: Constraint;

  /** @throws QuernError `grammar-trigger-invalid` */
  constructor(automaton: Automaton, stopTokens: ReadonlySet<number>, trigger: GrammarTrigger) {
    this.#automaton = automaton;
    this.#stopTokens = stopTokens;
    this.#words = (trigger.words ?? []).map(bytewise);
    this.#tokens = new Set(trigger.tokens ?? []);
    this.#from = trigger.from ?? 'word';
    checkTrigger(automaton.machine, trigger);
  }

  apply(logits: Float32Array): void {
    if (this.#active) this.#active.apply(logits);
    else this.#freeMask().apply(logits);
  }

  accept(token: number): void {
    if (this.#active) this.#active.accept(token);
    else if (this.#tokens.has(token)) {
      this.#active = new Constraint(this.#automaton, this.#stopTokens);
      if (this.#from === 'word') this.#active.accept(token);
    } else this.#read(this.#automaton.trie.tokenBytes[token] ?? new Uint8Array());
  }

  get finished(): boolean {
    return this.#active?.finished ?? false;
  }

  #read(bytes: Uint8Array): void {
    for (const [i, byte] of bytes.entries()) {
      const next = this.#after(this.#begun, byte);
      if (!next.word) {
        this.#begun = next.begun;
        continue;
      }
      const start = this.#startBehind(next.word);
      this.#active = new Constraint(this.#automaton, this.#stopTokens, start);
      this.#active.acceptBytes(bytes.subarray(i + 1));
      return;
    }
  }

  #after(begun: Begun, byte: number): { begun: Begun; word?: string } {
    const text = begun + String.fromCharCode(byte);
    const word = this.#words.find((one) => text.endsWith(one));
    for (let from = 0; from < text.length; from++) {
      const end = text.slice(from);
      if (this.#words.some((one) => one.startsWith(end))) return { begun: end, ...(word && { word }) };
    }
    return { begun: '', ...(word && { word }) };
  }

  #startBehind(word: string): Configuration {
    return startBehind(this.#automaton.machine, word, this.#from);
  }

  /** All tokens, but those that end a word and go on with what the grammar forbids. */
  #freeMask(): TokenMask {
    let mask = this.#masks.get(this.#begun);
    if (!mask) {
      mask = this.#walkFree(this.#begun);
      this.#masks.set(this.#begun, mask);
    }
    return mask;
  }

  #walkFree(begun: Begun): TokenMask {
    const { machine, trie } = this.#automaton;
    const { bytes, depths, ends, tokenStarts, tokenIds } = trie;
    const mask = TokenMask.all(trie.vocabSize);
    const path: Begun[] = [begun];
    for (let node = 1; node < bytes.length; ) {
      const depth = depths[node]!;
      const next = this.#after(path[depth - 1]!, bytes[node]!);
      path[depth] = next.begun;
      node++;
      if (!next.word) continue;
      const word = node - 1;
      for (; node < ends[word]!; node++)
        for (let i = tokenStarts[node]!; i < tokenStarts[node + 1]!; i++) mask.remove(tokenIds[i]!);
      walk(machine, trie, this.#startBehind(next.word), word, mask);
    }
    return mask;
  }
}

function startBehind(machine: Machine, word: string, from: GrammarTrigger['from']): Configuration {
  if (from === 'behind') return machine.start;
  return bytesOf(word).reduce((at, byte) => machine.afterByte(at, byte), machine.start);
}

/** @throws QuernError `grammar-trigger-invalid`: no word or token, or the grammar does not begin with one */
export function checkTrigger(grammar: Program | Machine, { words = [], tokens = [], from }: GrammarTrigger): void {
  if (words.includes('') || words.length + tokens.length === 0)
    throw new QuernError('grammar-trigger-invalid', 'A grammar that waits needs words or tokens that switch it on.');
  const machine = grammar instanceof Machine ? grammar : new Machine(grammar);
  const wrong = words.find((word) => startBehind(machine, bytewise(word), from).dead);
  if (wrong === undefined) return;
  const problem = `No text of the grammar begins with ${JSON.stringify(wrong)}, which switches it on.`;
  throw new QuernError('grammar-trigger-invalid', problem, {
    remedy: 'Let the grammar begin with the word, or behind it.',
  });
}
