// What a template may cost. Every statement and expression is a step, so that loops, recursion and nested expressions end; every
// value that comes about is seen, so that none grows without bound.
import { runaway } from './runaway.ts';
import { SafeText, type Value } from './values.ts';

export interface TemplateLimits {
  /** Statements and expressions evaluated. */
  steps: number;
  /** Longest text, whole or halfway, in UTF-16 units. */
  characters: number;
}

const charactersPerStep = 4096;
/** Next to nothing for a conversation; a loop over long lists, each sorted, would otherwise take hours. */
const squareOfItemsPerStep = 2 ** 17;

export class Budget {
  readonly #limits: TemplateLimits;
  #steps = 0;

  constructor(limits: TemplateLimits) {
    this.#limits = limits;
  }

  step(): void {
    if (++this.#steps > this.#limits.steps) throw runaway(`did not end after ${this.#limits.steps} steps`);
  }

  /** Long values cost what it takes to make them or to go through them. */
  charge(value: Value): void {
    if (typeof value === 'string') this.text(value.length);
    else if (value instanceof SafeText) this.text(value.text.length);
    else if (Array.isArray(value)) this.#steps += Math.floor(value.length ** 2 / squareOfItemsPerStep);
  }

  text(length: number): void {
    if (length > this.#limits.characters) throw runaway(`writes more than ${this.#limits.characters} characters`);
    this.#steps += Math.floor(length / charactersPerStep);
  }
}
