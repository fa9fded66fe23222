// GLM-4.7-Flash: DeepSeek V3's network under a class of its own, with GLM's tokenizer.
import type { Architecture } from './architecture.ts';
import { deepseekConfig, deepseekFamily, fixedForSigmoid, innerEpsRemark, sigmoidRouter } from './deepseek.ts';
import { fixedForLatent } from './latent.ts';

export const glmTokens: Architecture['tokensByName'] = {
  bos: '[gMASK]',
  eot: '<|user|>',
  unknown: '<|endoftext|>',
  eom: '<|observation|>',
};

export const glm4moelite: Architecture = {
  ...deepseekFamily,
  family: 'glm4moelite',
  hf: ['Glm4MoeLiteForCausalLM'],
  modelType: 'glm4_moe_lite',
  config: deepseekConfig(
    {
      contextLength: 202752,
      rmsEps: 1e-5,
      ...{ queryRank: 768, rank: 512, plain: 192, rotary: 64, value: 256 },
      ...{ experts: 64, used: 4, shared: 1, expertWidth: 1536, scale: 1.8, normalized: true, dense: 1 },
      ...{ groups: 1, groupsUsed: 1 },
    },
    sigmoidRouter,
  ),
  fixed: [...fixedForLatent, ...fixedForSigmoid],
  isOf: ({ preTokenizer }) => preTokenizer === 'glm4',
  tokensByName: glmTokens,
  preTokenizers: { 'llama-bpe': 'glm4' },
  remarks: [
    innerEpsRemark,
    'GGUF does not tell it from DeepSeek V3, which computes the same: it goes back as that class',
  ],
};
