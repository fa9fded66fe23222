// A grammar that waits: the reply is free until a word or a token that switches the grammar on (a tool call, the end of
// reasoning). A token may hold the end of the word and what follows it, so such tokens are held to the grammar already: what
// has been switched on never begins with something that it forbids.
import { QuernError } from '@quern/errors';
import { Constraint } from '../constraint.ts';
import type { Configuration } from '../machine/configuration.ts';
import { Machine } from '../machine/machine.ts';
import type { Program } from '../machine/program.ts';
import type { Automaton } from '../matcher.ts';
import { TokenMask } from '../tokens/token-mask.ts';
import { walk } from '../tokens/walk.ts';
import { SearchPlace, StartSearch } from './start-search.ts';
import { type GrammarTrigger, type Starter, startersOf } from './starter.ts';

export class LazyConstraint {
  readonly #automaton: Automaton;
  readonly #stopTokens: ReadonlySet<number>;
  readonly #tokens: ReadonlySet<number>;
  readonly #from: GrammarTrigger['from'];
  /** Of the free text: by state, and by what has been read where that counts too. */
  readonly #masks = new Map<number | string, TokenMask>();
  readonly #place: SearchPlace;
  #active?: Constraint;

  /** @throws QuernError `grammar-trigger-invalid` */
  constructor(automaton: Automaton, stopTokens: ReadonlySet<number>, trigger: GrammarTrigger) {
    this.#automaton = automaton;
    this.#stopTokens = stopTokens;
    this.#tokens = new Set(trigger.tokens ?? []);
    this.#from = trigger.from ?? 'word';
    this.#place = new SearchPlace(new StartSearch(checkTrigger(automaton.machine, trigger)));
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
    } else this.#read(this.#automaton.trie.bytesOf(token));
  }

  get finished(): boolean {
    return this.#active?.finished ?? false;
  }

  #read(bytes: Uint8Array): void {
    for (const [i, byte] of bytes.entries()) {
      const begun = this.#place.read(byte);
      if (!begun) continue;
      const start = startBehind(this.#automaton.machine, begun, this.#from);
      this.#active = new Constraint(this.#automaton, this.#stopTokens, start);
      this.#active.acceptBytes(bytes.subarray(i + 1));
      return;
    }
  }

  /** All tokens, but those that switch the grammar on and go on with what it forbids. */
  #freeMask(): TokenMask {
    const { state, kept } = this.#place;
    const byText = kept === undefined ? undefined : `${state.id} ${kept}`;
    const known = this.#masks.get(state.id) ?? (byText === undefined ? undefined : this.#masks.get(byText));
    if (known) return known;
    const { mask, switches } = this.#walkFree();
    if (this.#masks.size >= maxMasks) this.#masks.clear();
    if (!switches) this.#masks.set(state.id, mask);
    else if (byText !== undefined) this.#masks.set(byText, mask);
    return mask;
  }

  #walkFree(): { mask: TokenMask; switches: boolean } {
    const { machine, trie } = this.#automaton;
    const { bytes, depths, ends, tokenStarts, tokenIds } = trie;
    const { search, state } = this.#place;
    const mask = TokenMask.all(trie.vocabSize);
    const path = [state];
    const read: number[] = [];
    let switches = false;
    for (let node = 1; node < bytes.length; ) {
      const depth = depths[node]!;
      const { next, found } = search.after(path[depth - 1]!, bytes[node]!);
      path[depth] = next;
      read[depth - 1] = bytes[node]!;
      const end = ends[node]!;
      if (found === undefined) {
        node++;
        continue;
      }
      switches = true;
      const place = this.#place.copy();
      const begun = read
        .slice(0, depth)
        .map((byte) => place.read(byte))
        .at(-1)!;
      const start = startBehind(machine, begun, this.#from);
      // The token that ends here stays where the grammar can go on, and of the longer ones those with which it does.
      const first = start.dead ? node : node + 1;
      for (let i = tokenStarts[first]!; i < tokenStarts[end]!; i++) mask.remove(tokenIds[i]!);
      if (!start.dead) walk(machine, trie, start, node, mask);
      node = end;
    }
    return { mask, switches };
  }
}

const maxMasks = 64;

function startBehind(machine: Machine, begun: Uint8Array, from: GrammarTrigger['from']): Configuration {
  if (from === 'behind') return machine.start;
  machine.effort.renew();
  let at = machine.start;
  for (const byte of begun) at = machine.afterByte(at, byte);
  return at;
}

/**
 * What is looked for.
 * @throws QuernError `grammar-trigger-invalid`: nothing, what is no regular expression, or a word with which the grammar does not begin
 */
export function checkTrigger(grammar: Program | Machine, trigger: GrammarTrigger): Starter[] {
  const { words = [], tokens = [], patterns = [], from } = trigger;
  if (words.includes('') || words.length + tokens.length + patterns.length === 0)
    throw new QuernError(
      'grammar-trigger-invalid',
      'A grammar that waits needs words, tokens or patterns that switch it on.',
    );
  const machine = grammar instanceof Machine ? grammar : new Machine(grammar);
  const wrong = words.find((word) => startBehind(machine, encoder.encode(word), from).dead);
  if (wrong === undefined) return startersOf(trigger);
  const problem = `No text of the grammar begins with ${JSON.stringify(wrong)}, which switches it on.`;
  throw new QuernError('grammar-trigger-invalid', problem, {
    remedy: 'Let the grammar begin with the word, or behind it.',
  });
}

const encoder = new TextEncoder();
