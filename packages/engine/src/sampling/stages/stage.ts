// What a stage of the chain is.
import type { Candidates } from '../candidates.ts';
import type { ResolvedSampling } from '../options.ts';
import type { Uniform } from '../uniform.ts';

export interface Stage {
  /** Narrows the candidates down, or changes their logits; never leaves none. */
  apply(candidates: Candidates): void;
  /** Learns what came next: the tokens of the prompt, then each token that was chosen. */
  accept?(token: number, ofPrompt: boolean): void;
}

export interface StageKind {
  /** As in llama.cpp's `--sampler-seq`. */
  readonly letter: string;
  /** It never takes away or overtakes the most likely token, so that a greedy choice may leave it out. */
  readonly keepsBest: boolean;
  /** Undefined where the options switch it off. `uniform`: what it draws from, asked for once. */
  stage(options: ResolvedSampling, uniform: () => Uniform): Stage | undefined;
}
