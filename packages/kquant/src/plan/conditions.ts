// When a mixture rule holds. `i` is the number of the tensor within its group (attn_v, ffn_down, …) in file order, or
// its layer where experts make that unreliable; `n` is the size of the group. Divisions are integer divisions.
import type { ModelFacts } from './model-facts.ts';

export interface RulePlace {
  readonly i: number;
  readonly n: number;
  readonly model: ModelFacts;
}

export interface Condition {
  /** For the plan that a person reads. */
  readonly says: string;
  readonly holds: (place: RulePlace) => boolean;
}

const eighth = (n: number): number => Math.floor(n / 8);

/** Layers whose errors cost most: the first and last eighth and every third between (llama-quant.cpp `use_more_bits`). */
export const moreBitsLayers: Condition = {
  says: 'first and last eighth of the layers and every third between',
  holds: ({ i, n }) => i < eighth(n) || i >= Math.floor((7 * n) / 8) || (i - eighth(n)) % 3 === 2,
};

export const firstEighthOfLayers: Condition = {
  says: 'first eighth of the layers',
  holds: ({ i, n }) => i < eighth(n),
};

export const firstSixteenthOfLayers: Condition = {
  says: 'first sixteenth of the layers',
  holds: ({ i, n }) => i < Math.floor(n / 16),
};

export const firstLayers = (count: number): Condition => ({
  says: `first ${count} layers`,
  holds: ({ i }) => i < count,
});

export const falcon: Condition = { says: 'falcon', holds: ({ model }) => model.architecture === 'falcon' };

export const eightExperts: Condition = { says: 'eight experts', holds: ({ model }) => model.experts === 8 };

/** 80 layers that share few KV heads: attn_v is small there and worth more bits. */
export const llama70B: Condition = { says: '70B with grouped KV heads', holds: ({ model }) => model.is70B };

export const not = (condition: Condition): Condition => ({
  says: `not ${condition.says}`,
  holds: (place) => !condition.holds(place),
});
