// The Mersenne Twister MT19937 of Matsumoto and Nishimura (1998), which C++ calls std::mt19937: 624 words of state, period
// 2^19937 - 1. Its floats are those that libstdc++ makes of it, so that llama.cpp's draws can be repeated.
import type { Uniform } from './uniform.ts';

const WORDS = 624;
const MIDDLE = 397;
const MATRIX = 0x9908b0df;
const UPPER_BIT = 0x80000000;
const LOWER_BITS = 0x7fffffff;

export class Mt19937 implements Uniform {
  readonly #state = new Uint32Array(WORDS);
  #next = WORDS;

  /** `seed`: an integer from 0 to 2³² - 1. */
  constructor(seed: number) {
    const state = this.#state;
    state[0] = seed;
    for (let i = 1; i < WORDS; i++) {
      const before = state[i - 1] ^ (state[i - 1] >>> 30);
      state[i] = Math.imul(1812433253, before) + i;
    }
  }

  /** Uniform in [0, 2³²). */
  nextUint32(): number {
    if (this.#next === WORDS) this.#renew();
    let word = this.#state[this.#next++];
    word ^= word >>> 11;
    word ^= (word << 7) & 0x9d2c5680;
    word ^= (word << 15) & 0xefc60000;
    return (word ^ (word >>> 18)) >>> 0;
  }

  /** std::generate_canonical<double, 53>: two words, the second the higher. */
  nextFloat(): number {
    const low = this.nextUint32();
    const unit = (low + this.nextUint32() * 2 ** 32) / 2 ** 64;
    return unit < 1 ? unit : 1 - 2 ** -53; // rounding can reach 1
  }

  /** std::generate_canonical<float, 24>: one word. */
  nextFloat24(): number {
    const unit = Math.fround(this.nextUint32()) / 2 ** 32;
    return unit < 1 ? unit : 1 - 2 ** -24;
  }

  #renew(): void {
    const state = this.#state;
    for (let i = 0; i < WORDS; i++) {
      const word = (state[i] & UPPER_BIT) | (state[(i + 1) % WORDS] & LOWER_BITS);
      state[i] = state[(i + MIDDLE) % WORDS] ^ (word >>> 1) ^ (word & 1 ? MATRIX : 0);
    }
    this.#next = 0;
  }
}
