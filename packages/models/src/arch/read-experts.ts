// From metadata to the specs of a mixture of experts. What a router computes is partly in the keys and partly fixed by
// llama.cpp for each architecture (the calls of build_moe_ffn in src/models/*.cpp): a record says the latter.
import type { ExpertsSpec, RouterGroups, RouterSpec } from '../forward/feed-forwards/experts/spec.ts';
import type { Activation } from '../forward/feed-forwards/gated-mlp/spec.ts';
import type { SharedExpertSpec } from '../forward/feed-forwards/shared-expert/spec.ts';
import type { NetworkReader } from '../network-reader.ts';
import { maxWidth, readFeedForwardLength } from './decoder.ts';
import { maxExperts } from './mixture.ts';

/** Width of an expert where the file has no key for it, by the width of a dense MLP. */
type WidthOf = (feedForwardLength: number, used: number) => number;

/** The share of a dense MLP's width that each used expert has (llama.cpp's src/models/qwen2moe.cpp, qwen3moe.cpp). */
export const evenShare: WidthOf = (feedForwardLength, used) => Math.max(1, Math.floor(feedForwardLength / used));

/** What the architecture means where the file does not say it. */
export interface ExpertsOfArchitecture extends Partial<Pick<RouterSpec, 'score' | 'weighsInput'>> {
  over: RouterSpec['over'];
  /** Without it the key is required. */
  width?: WidthOf;
  activation?: Activation;
  /** How the bias for the choice is stored, where there is one; as a vector when not given. */
  choiceBias?: RouterSpec['choiceBias'];
  /** A block that has experts: biases are there or not, which no key says; 0 when not given. */
  block?: number;
}

/** Gated experts and their router. */
export function readExperts(read: NetworkReader, fixed: ExpertsOfArchitecture): ExpertsSpec {
  const { width, block = 0, activation = { act: 'silu' } } = fixed;
  const count = read.integer('expert_count', 1, maxExperts);
  const used = read.uniformInteger('expert_used_count', 1, count);
  return {
    kind: 'experts',
    count,
    used,
    width:
      width && !read.has('expert_feed_forward_length')
        ? width(readFeedForwardLength(read), used)
        : read.uniformInteger('expert_feed_forward_length', 1, maxWidth),
    activation,
    ...(read.hasTensor(`blk.${block}.ffn_down_exps.bias`) && { biased: true }),
    router: readRouter(read, count, used, fixed),
  };
}

function readRouter(read: NetworkReader, count: number, used: number, fixed: ExpertsOfArchitecture): RouterSpec {
  const { block = 0, weighsInput, choiceBias = 'vector' } = fixed;
  const scale = read.optionalNumber('expert_weights_scale', 1, 0, 1e6) || 1;
  const { score, over } = readScore(read, fixed);
  // DeepSeek V2's way, and V3's.
  const groups = readGroups(read, count, used, score === 'softmax' ? 'one' : 'two');
  return {
    score,
    over,
    ...(scale !== 1 && { scale }),
    ...(read.hasTensor(`blk.${block}.ffn_gate_inp.bias`) && { biased: true }),
    ...(read.hasTensor(`blk.${block}.exp_probs_b.bias`) && { choiceBias }),
    ...(groups && { groups }),
    ...(weighsInput && { weighsInput }),
  };
}

/** `expert_gating_func` is llama.cpp's `llama_expert_gating_func_type`; 0 says nothing. */
function readScore(read: NetworkReader, fixed: ExpertsOfArchitecture): Pick<RouterSpec, 'score' | 'over'> {
  const over = read.optionalSwitch('expert_weights_norm', fixed.over === 'chosen') ? 'chosen' : 'all';
  const number = read.optionalInteger('expert_gating_func', 0, 0, 255);
  if (number === 0) return { score: fixed.score ?? 'softmax', over };
  // Softmax over the logits of the chosen, which is softmax over all, divided by the sum of the chosen.
  if (number === 3) return { score: 'softmax', over: 'chosen' };
  const score = ({ 1: 'softmax', 2: 'sigmoid', 4: 'sqrt_softplus' } as const)[number];
  return score ? { score, over } : read.fail('expert_gating_func', `there is no router function ${number}`);
}

function readGroups(
  read: NetworkReader,
  experts: number,
  usedExperts: number,
  by: RouterGroups['by'],
): RouterGroups | undefined {
  const count = read.optionalInteger('expert_group_count', 1, 0, experts);
  if (count <= 1) return undefined;
  const used = read.optionalInteger('expert_group_used_count', count, 1, count);
  if (experts % count !== 0) read.fail('expert_group_count', `${count} groups do not divide ${experts} experts`);
  if (count > maxGroups) read.fail('expert_group_count', `${count} groups are not supported (at most ${maxGroups})`);
  if (usedExperts > (experts / count) * used)
    read.fail('expert_used_count', `${used} groups of ${experts / count} experts have no ${usedExperts} experts`);
  // Where all groups are used they change nothing.
  return used === count ? undefined : { count, used, by };
}

/** What the op `route` keeps track of; models have 8. */
const maxGroups = 32;

/**
 * The MLP that every token uses beside its experts, if there is one. A file tells its width, or how many experts of the
 * usual width it stands for; one that tells neither, of an architecture that has it, means that of a dense MLP.
 */
export function readSharedExpert(
  read: NetworkReader,
  { width, activation }: Pick<ExpertsSpec, 'width' | 'activation'>,
  { gated }: Pick<SharedExpertSpec, 'gated'> = { gated: false },
): SharedExpertSpec[] {
  const count = read.optionalInteger('expert_shared_count', 0, 0, maxExperts);
  const fallback = gated && !read.has('expert_shared_count') ? readFeedForwardLength(read) : count * width;
  const total = read.has('expert_shared_feed_forward_length')
    ? read.integer('expert_shared_feed_forward_length', 0, maxWidth)
    : fallback;
  return total > 0 ? [{ kind: 'shared-expert', width: total, activation, gated }] : [];
}
