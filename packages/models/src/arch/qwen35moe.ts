// Qwen 3.5 and 3.6 with experts (35B-A3B, 122B-A10B, 397B-A17B): the mixers of Qwen 3.5, experts and one more expert that
// every token uses. GGUF: Qwen3_5MoeTextModel of llama.cpp's conversion/qwen.py.
import type { Architecture } from './architecture.ts';
import { decoder, readEps } from './decoder.ts';
import { denseConfig } from './dense.ts';
import { expertCounts, expertWidths, fusedExpertTensors, sharedExpertTensors } from './mixture.ts';
import { deltaNetConfig, qwen35Block, qwen35Family, qwen35Mixers, qwen35Tensors } from './qwen35.ts';
import { evenShare, readExperts, readSharedExpert } from './read-experts.ts';

export const qwen35moe: Architecture = {
  ...qwen35Family,
  family: 'qwen35moe',
  name: 'qwen35moe',
  hf: ['Qwen3_5MoeForCausalLM', 'Qwen3_5MoeForConditionalGeneration'],
  modelType: ['qwen3_5_moe_text', 'qwen3_5_moe'],
  config: [
    ...denseConfig({
      contextLength: 32768,
      kvHeads: 2,
      rmsEps: 1e-6,
      headDim: () => 256,
      feedForward: 'optional',
      experts: expertCounts({ experts: 256, used: 8 }),
    }),
    ...expertWidths({ each: 512, shared: 512 }),
    ...deltaNetConfig({ draftKey: true }),
  ],
  tensors: qwen35Tensors([...fusedExpertTensors, ...sharedExpertTensors]),
  experts: true,
  network: (read) => {
    const eps = readEps(read);
    const mixerOf = qwen35Mixers(read, eps);
    const experts = readExperts(read, { over: 'chosen', width: evenShare });
    const shared = readSharedExpert(read, experts, { gated: true });
    return decoder(read, (block) => qwen35Block(eps, mixerOf(block), experts, ...shared));
  },
  awq: [],
};
