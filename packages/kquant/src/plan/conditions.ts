// When a mixture rule holds. `i` is the number of the tensor within its group (attn_v, ffn_down, …) in file order, or
// its layer where experts make that unreliable; `n` is the size of the group. Divisions are integer divisions.
import type { ModelFacts } from './model-facts.ts';
import type { TensorGroup } from './tensor-group.ts';

export interface RulePlace {
  readonly group: TensorGroup;
  readonly i: number;
  readonly n: number;
  /** Like `i`, but always the number within the group. */
  readonly counted: number;
  /** Matrices stacked in the tensor: its experts, or 1. */
  readonly matrices: number;
  readonly model: ModelFacts;
  /** An importance matrix is used. */
  readonly imatrix: boolean;
}

export interface Condition {
  /** For the plan that a person reads. */
  readonly says: string;
  readonly holds: (place: RulePlace) => boolean;
}

const eighth = (n: number): number => Math.floor(n / 8);
const lastEighth = (n: number): number => Math.floor((7 * n) / 8);

/** Layers whose errors cost most: the first and last eighth and every third between (llama-quant.cpp `use_more_bits`). */
export const moreBitsLayers: Condition = {
  says: 'first and last eighth of the layers and every third between',
  holds: ({ i, n }) => i < eighth(n) || i >= lastEighth(n) || (i - eighth(n)) % 3 === 2,
};

export const firstEighthOfLayers: Condition = {
  says: 'first eighth of the layers',
  holds: ({ i, n }) => i < eighth(n),
};

/** As above without asking for the layer: the rules of the smallest types never do, experts or not. */
export const firstEighthByCount: Condition = {
  says: 'first eighth',
  holds: ({ counted, n }) => counted < eighth(n),
};

export const middleLayers: Condition = {
  says: 'all but the first and last eighth of the layers',
  holds: ({ i, n }) => i >= eighth(n) && i < lastEighth(n),
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

/** Its attention has stacked matrices too, which are no experts. */
export const bailingMoe3: Condition = {
  says: 'bailingmoe3',
  holds: ({ model }) => model.architecture === 'bailingmoe3',
};

export const eightExperts: Condition = { says: 'eight experts', holds: ({ model }) => model.experts === 8 };

/** KV heads shared by four heads or more: attn_k and attn_v are small then. */
export const sharedKvHeads: Condition = {
  says: 'at least 4 heads per KV head',
  holds: ({ model }) => model.headsPerKvHead >= 4,
};

export const fourExperts: Condition = { says: 'at least 4 experts', holds: ({ model }) => model.experts >= 4 };

/** 80 layers that share few KV heads: attn_v is small there and worth more bits. */
export const llama70B: Condition = { says: '70B with grouped KV heads', holds: ({ model }) => model.is70B };

export const withImatrix: Condition = { says: 'importance matrix', holds: ({ imatrix }) => imatrix };

export const stacked: Condition = { says: 'stack of matrices', holds: ({ matrices }) => matrices > 1 };

export const feedForward: Condition = { says: 'feed-forward', holds: ({ group }) => group.startsWith('ffn_') };

export const not = (condition: Condition): Condition => ({
  says: `not ${condition.says}`,
  holds: (place) => !condition.holds(place),
});

export const either = (a: Condition, b: Condition): Condition => ({
  says: `${a.says} or ${b.says}`,
  holds: (place) => a.holds(place) || b.holds(place),
});

export const both = (a: Condition, b: Condition): Condition => ({
  says: `${a.says} and ${b.says}`,
  holds: (place) => a.holds(place) && b.holds(place),
});
