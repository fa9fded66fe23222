// Qwen 3.5 and 3.6 with experts (35B-A3B, 122B-A10B, 397B-A17B): the mixers of Qwen 3.5, experts and one more expert that
// every token uses. GGUF: Qwen3_5MoeTextModel of llama.cpp's conversion/qwen.py.
import type { MixerSpec } from '../forward/mixers/index.ts';
import type { Network } from '../forward/network.ts';
import type { NetworkReader } from '../network-reader.ts';
import type { Architecture } from './architecture.ts';
import { decoder, postAttentionNormBlock, readEps } from './decoder.ts';
import { denseConfig } from './dense.ts';
import { expertCounts, expertWidths, fusedExpertTensors, sharedExpertTensors, sharedMixturePairs } from './mixture.ts';
import { deltaNetConfig, deltaNetPairs, qwen35Family, qwen35Mixers, qwen35Tensors } from './qwen35.ts';
import { evenShare, readExperts, readSharedExpert } from './read-experts.ts';

/**
 * Keys of Qwen3-Next and Qwen 3.5 with experts.
 * @param counts of experts when config.json has none
 * @param draftKey whether config.json counts the draft blocks
 */
export const deltaNetMixtureConfig = (
  counts: { experts: number; used: number },
  { draftKey }: { draftKey: boolean },
): Architecture['config'] => [
  ...denseConfig({
    contextLength: 32768,
    kvHeads: 2,
    rmsEps: 1e-6,
    headDim: () => 256,
    feedForward: 'optional',
    experts: expertCounts(counts),
  }),
  ...expertWidths({ each: 512, shared: 512 }),
  ...deltaNetConfig({ draftKey }),
];

/** @param mixerOf of each block */
export function deltaNetMixture(read: NetworkReader, mixerOf: (block: number) => MixerSpec): Network {
  const eps = readEps(read);
  const experts = readExperts(read, { over: 'chosen', width: evenShare });
  const shared = readSharedExpert(read, experts, { gated: true });
  return decoder(read, (block) => postAttentionNormBlock(eps, mixerOf(block), experts, ...shared));
}

export const qwen35moe: Architecture = {
  ...qwen35Family,
  family: 'qwen35moe',
  name: 'qwen35moe',
  hf: ['Qwen3_5MoeForCausalLM', 'Qwen3_5MoeForConditionalGeneration'],
  modelType: ['qwen3_5_moe_text', 'qwen3_5_moe'],
  config: deltaNetMixtureConfig({ experts: 256, used: 8 }, { draftKey: true }),
  tensors: qwen35Tensors([...fusedExpertTensors, ...sharedExpertTensors]),
  experts: true,
  network: (read) => deltaNetMixture(read, qwen35Mixers(read, readEps(read))),
  awq: [
    ...deltaNetPairs,
    ...sharedMixturePairs
      .filter(({ prev }) => prev.startsWith('ffn_'))
      .map((pair) => (pair.prev === 'ffn_norm' ? { ...pair, prev: 'post_attention_norm' } : pair)),
  ],
};
