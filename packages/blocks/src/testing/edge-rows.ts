// Rows of weights on which coders are known to differ: what tests of this package and of test/oracle both run on.

/** A small seeded generator (mulberry32), so that a failure can be repeated. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Normally distributed numbers (Box–Muller). */
export function gaussian(random: () => number): () => number {
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Finite rows of `cols` numbers by what is hard about them. */
export function edgeRows(cols: number, seed = 1): Record<string, Float32Array> {
  const random = seededRandom(seed);
  const normal = gaussian(random);
  const row = (value: (i: number) => number) => Float32Array.from({ length: cols }, (_, i) => value(i));
  const scaled = (scale: number) => row(() => normal() * scale);
  return {
    'normal weights': scaled(0.02),
    'normal, wide': scaled(30),
    'heavy tails': row(() => normal() ** 5),
    'all positive': row(() => 1 + random()),
    'all negative': row(() => -1 - random()),
    'very unequal sub-blocks': row((i) => normal() * 10 ** -((i >> 4) % 12)),
    zeros: row(() => 0),
    'negative zeros': row((i) => (i % 3 ? -0 : 0)),
    'constant positive': row(() => 0.7),
    'constant negative': row(() => -0.3),
    'constant magnitude': row((i) => (i % 2 ? -1.5 : 1.5)),
    'constant magnitude, random sign': row(() => (random() < 0.5 ? -2 : 2)),
    'one spike': row((i) => (i % 256 === 77 ? -3.25 : 0)),
    'one spike on noise': row((i) => (i % 256 === 200 ? 1000 : normal() * 1e-3)),
    'ties of 1/127': row((i) => (i % 32 === 0 ? 127 : ((i * 37) % 253) / 2 - 63)),
    'ties of 1/8': row((i) => (i % 32 === 5 ? -8 : ((i * 11) % 33) / 2 - 8)),
    'ties of 1/15': row((i) => ((i * 7) % 31) / 2),
    'ties of 1/32': row((i) => (i % 16 === 3 ? -32 : ((i * 13) % 129) / 2 - 32)),
    ramp: row((i) => i / cols - 0.5),
    'two values': row((i) => (i % 5 ? 0.125 : -0.375)),
    'small: F16 scale subnormal': scaled(1e-6),
    'small: F16 scale zero': scaled(1e-9),
    tiny: scaled(1e-20),
    'near the group epsilon': scaled(1e-15),
    'least normal': scaled(1e-38),
    'subnormal, upper': scaled(3e-39),
    subnormal: scaled(1e-41),
    'subnormal, last bits': row(() => Math.round(normal() * 3) * 2 ** -149),
    'one subnormal': row((i) => (i % 64 === 9 ? 2 ** -149 : 0)),
    huge: scaled(1e4),
    'huge: F16 values infinite': scaled(1e5),
    'huge: F16 scale near its end': scaled(3e6),
    'huge: F16 scale infinite': scaled(1e12),
    'huge: squares infinite': scaled(1e25),
    'near the largest float': row(() => (random() - 0.5) * 6e38),
    mixed: row((i) => normal() * 10 ** ((i % 60) - 40)),
  };
}

/** Importances of `cols` columns by what is hard about them. */
export function edgeImportances(cols: number, seed = 1): Record<string, Float32Array> {
  const random = seededRandom(seed);
  const normal = gaussian(random);
  const each = (value: (i: number) => number) => Float32Array.from({ length: cols }, (_, i) => value(i));
  return {
    ones: each(() => 1),
    zeros: each(() => 0),
    'mean squares of activations': each(() => Math.exp(1.5 * normal())),
    'half of them zero': each(() => (random() < 0.5 ? 0 : random())),
    'one column in 32': each((i) => (i % 32 === 11 ? 3 : 0)),
    'one column dominates': each((i) => (i % 64 === 40 ? 1e6 : 1e-3 * random())),
    'huge spread': each(() => 10 ** (30 * random() - 15)),
    'any exponent': each(() => 10 ** (76 * random() - 38)),
    tiny: each(() => 1e-30 * random()),
    subnormal: each(() => 1e-41 * random()),
    huge: each(() => 1e30 * random()),
    'by block': each((i) => 10 ** -((i >> 5) % 9)),
  };
}
