// xoshiro128** 1.1 (Blackman and Vigna, prng.di.unimi.it): 128 bits of state, 32-bit arithmetic, so it runs the same in
// every JavaScript engine. A seed is spread over the state by splitmix32 (Murmur3's finalizer over a Weyl sequence).
import type { Uniform } from './uniform.ts';

const rotateLeft = (x: number, k: number): number => (x << k) | (x >>> (32 - k));

/** Four words of state from a seed, any non-negative safe integer: its bits above 32 turn every word another way. */
export function seedState(seed: number): Uint32Array {
  const high = Math.floor(seed / 2 ** 32);
  let weyl = seed | 0;
  const state = new Uint32Array(4);
  for (let i = 0; i < 4; i++) {
    weyl = (weyl + 0x9e3779b9) | 0;
    let z = weyl ^ rotateLeft(high, 8 * i);
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    state[i] = z ^ (z >>> 16);
  }
  return state;
}

export class Random implements Uniform {
  readonly #state: Uint32Array;

  /** `state`: four words, not all zero; kept, not copied. */
  constructor(state: Uint32Array) {
    this.#state = state;
  }

  static seeded(seed: number): Random {
    return new Random(seedState(seed));
  }

  /** Uniform in [0, 2³²). */
  nextUint32(): number {
    const s = this.#state;
    const result = Math.imul(rotateLeft(Math.imul(s[1], 5), 7), 9) >>> 0;
    const t = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotateLeft(s[3], 11);
    return result;
  }

  /** Uniform in [0, 1), 53 bits. */
  nextFloat(): number {
    const high = this.nextUint32() >>> 5;
    const low = this.nextUint32() >>> 6;
    return (high * 2 ** 26 + low) / 2 ** 53;
  }

  /** Uniform in [0, 1), 24 bits. */
  nextFloat24(): number {
    return (this.nextUint32() >>> 8) / 2 ** 24;
  }
}
