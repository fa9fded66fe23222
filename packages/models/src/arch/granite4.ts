// Granite 4 without Mamba blocks (350M, 1B, Micro): checkpoints of the hybrid's class, in which every layer has attention. In
// GGUF they are Granite 3 with a few more keys. GGUF: GraniteHybridModel of llama.cpp's conversion/granite.py.
import type { Architecture, Json } from './architecture.ts';
import { attentionBlockTensors, embeddingTensors } from './dense.ts';
import { granite, graniteFamily } from './granite.ts';
import { attentionIn, granitehybrid, granitehybridConfig, someHeads } from './granitehybrid.ts';
import { graniteExpertTensors, granitemoe, sharedMlpTensors } from './granitemoe.ts';

const withExperts = (config: Json): boolean => (config.num_local_experts ?? 8) > 0;

const family = {
  ...graniteFamily,
  hf: granitehybrid.hf,
  modelType: granitehybrid.modelType,
  fixed: granitehybrid.fixed,
  ignored: [...graniteFamily.ignored, 'mamba_expand', 'mamba_conv_bias'],
  config: granitehybridConfig.map((rule) =>
    typeof rule === 'object' && rule.gguf[0] === someHeads.gguf[0] ? someHeads : rule,
  ),
} as const satisfies Partial<Architecture>;

export const granite4: Architecture = {
  ...family,
  family: 'granite4',
  name: 'granite',
  when: (config) => attentionIn(config).every(Boolean) && !withExperts(config),
  tensors: [...embeddingTensors, ...attentionBlockTensors({ permute: true }), ...sharedMlpTensors('')],
  network: granite.network!,
  awq: granite.awq,
};

export const granite4moe: Architecture = {
  ...family,
  family: 'granite4-moe',
  name: 'granitemoe',
  when: (config) => attentionIn(config).every(Boolean) && withExperts(config),
  sizes: granitemoe.sizes!,
  tensors: [
    ...embeddingTensors,
    ...attentionBlockTensors({ permute: true }),
    ...graniteExpertTensors,
    ...sharedMlpTensors('_shexp'),
  ],
  experts: true,
  network: granitemoe.network!,
  awq: granitemoe.awq,
};
