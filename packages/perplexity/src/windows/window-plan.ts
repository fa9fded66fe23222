// The windows of one text: a profile, its numbers as the user chose them, and the tokens.
import { QuernError } from '@quern/errors';
import { defaultProfile, type Profile, profiles } from './profiles.ts';

/** The least that scores a token under every profile. */
const minContext = 3;

export interface Window {
  /** What the model sees. */
  readonly inputs: Int32Array;
  /** First position whose logits are scored. */
  readonly firstScored: number;
  /** The tokens after positions `firstScored…`, as they stand in the text. */
  readonly targets: Int32Array;
}

export interface WindowOptions {
  readonly profile?: Profile;
  /** Default: the profile's. */
  readonly contextTokens?: number;
  /** Only for a profile with a stride. Default: the profile's, or half the context where that is shorter. */
  readonly strideTokens?: number;
  /** Evaluate at most this many windows. */
  readonly maxWindows?: number;
}

/** `WindowOptions` without gaps. */
export interface WindowPlan {
  readonly profile: Profile;
  readonly contextTokens: number;
  readonly strideTokens?: number;
  readonly maxWindows?: number;
}

/** @throws QuernError `usage-unknown-profile` with the names */
export function profileNamed(name: string): Profile {
  const profile = profiles.find((known) => known.name === name);
  if (profile) return profile;
  throw new QuernError('usage-unknown-profile', `There is no profile ${name}.`, {
    remedy: `Choose one of ${profiles.map((known) => known.name).join(', ')}.`,
  });
}

/** @throws QuernError `perplexity-bad-context`, `usage-no-stride`, `perplexity-bad-stride` */
export function windowPlan({ profile = defaultProfile, maxWindows, ...chosen }: WindowOptions): WindowPlan {
  const { contextTokens = profile.contextTokens } = chosen;
  if (!Number.isInteger(contextTokens) || contextTokens < minContext)
    throw new QuernError(
      'perplexity-bad-context',
      `A context of ${contextTokens} tokens scores nothing; use at least ${minContext}.`,
    );
  if (profile.strideTokens === undefined) {
    if (chosen.strideTokens === undefined) return { profile, contextTokens, maxWindows };
    throw new QuernError('usage-no-stride', `The windows of profile ${profile.name} do not overlap.`, {
      remedy: 'Leave out --stride, or choose --profile hf-stride.',
    });
  }
  const { strideTokens = Math.min(profile.strideTokens, Math.ceil(contextTokens / 2)) } = chosen;
  if (!Number.isInteger(strideTokens) || strideTokens < 1 || strideTokens > contextTokens)
    throw new QuernError(
      'perplexity-bad-stride',
      `A stride of ${strideTokens} tokens does not suit windows of ${contextTokens}: it is at least 1 and at most the context.`,
    );
  return { profile, contextTokens, strideTokens, maxWindows };
}

/** @param file of the text, for the error. @throws QuernError `text-too-short` with the numbers */
export function countWindows(tokenCount: number, plan: WindowPlan, file?: string): number {
  const { profile, contextTokens, maxWindows = Number.POSITIVE_INFINITY } = plan;
  const needed = profile.needed(plan);
  if (tokenCount < needed)
    throw new QuernError(
      'text-too-short',
      `The text has ${tokenCount} tokens; profile ${profile.name} with a context of ${contextTokens} needs at least ${needed}.`,
      { file, remedy: 'Use a longer text or a smaller --ctx-size.' },
    );
  return Math.min(profile.count(tokenCount, plan), maxWindows);
}

/** @param bos undefined for models that do not add BOS */
export function windowAt(ids: Int32Array, index: number, plan: WindowPlan, bos?: number): Window {
  const { begin, end, firstTarget } = plan.profile.span(index, ids.length, plan);
  const inputs = ids.slice(begin, end);
  if (bos !== undefined && plan.profile.replacesFirstByBos) inputs[0] = bos;
  return { inputs, firstScored: firstTarget - 1 - begin, targets: ids.subarray(firstTarget, end) };
}

/** Windows that one of several machines evaluates. */
export interface Shard {
  /** From 1. */
  readonly index: number;
  readonly count: number;
}

/** First and one past the last of `total` units that belong to the shard; shards differ by one unit at most. */
export function shardRange(total: number, { index, count }: Shard = { index: 1, count: 1 }): [number, number] {
  return [Math.floor((total * (index - 1)) / count), Math.floor((total * index) / count)];
}
