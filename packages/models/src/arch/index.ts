// THE table of architectures. A new one is a file beside this and a line here (docs/adding/architecture.md).
import { nearest, QuernError } from '@quern/errors';
import { apertus } from './apertus.ts';
import { arcee } from './arcee.ts';
import type { Architecture } from './architecture.ts';
import { bailingmoe, bailingmoe2 } from './bailingmoe.ts';
import { bailingmoe3 } from './bailingmoe3.ts';
import { bert } from './bert.ts';
import { cohere2, cohere2moe } from './cohere2.ts';
import { deepseek2, deepseek3 } from './deepseek.ts';
import { deepseek4 } from './deepseek4.ts';
import { bertReranker, robertaReranker, xlmRobertaReranker } from './encoder-rerankers.ts';
import { ernie45, ernie45moe } from './ernie45.ts';
import { exaone4, exaonemoe } from './exaone.ts';
import { falcon, falconTwoNorms } from './falcon.ts';
import { falconH1 } from './falcon-h1.ts';
import { gemma } from './gemma.ts';
import { gemmaEmbedding } from './gemma-embedding.ts';
import { gemma2 } from './gemma2.ts';
import { gemma3 } from './gemma3.ts';
import { gemma4 } from './gemma4.ts';
import { glm, glm4, glm4v } from './glm4.ts';
import { glm4moe, glm4vmoe } from './glm4moe.ts';
import { glm4moelite } from './glm4moelite.ts';
import { gptOss } from './gpt-oss.ts';
import { gpt2 } from './gpt2.ts';
import { gptneox } from './gptneox.ts';
import { granite } from './granite.ts';
import { granite4, granite4moe } from './granite4.ts';
import { granitehybrid } from './granitehybrid.ts';
import { granitemoe } from './granitemoe.ts';
import { hunyuanDense, hunyuanMoe } from './hunyuan.ts';
import { laguna } from './laguna.ts';
import { lfm2 } from './lfm2.ts';
import { lfm2moe } from './lfm2moe.ts';
import { llama } from './llama.ts';
import { llama4 } from './llama4.ts';
import { mimo2 } from './mimo2.ts';
import { minimaxm2 } from './minimaxm2.ts';
import { mistral } from './mistral.ts';
import { ministral3, mistral3 } from './mistral3.ts';
import { mixtral } from './mixtral.ts';
import { museglimmer } from './museglimmer.ts';
import { nemotron } from './nemotron.ts';
import { nemotronh } from './nemotronh.ts';
import { nemotronhMoe } from './nemotronh-moe.ts';
import { nomicBert } from './nomic-bert.ts';
import { olmo2, olmo3 } from './olmo2.ts';
import { olmoe } from './olmoe.ts';
import { phi2 } from './phi2.ts';
import { phi3 } from './phi3.ts';
import { qwen2 } from './qwen2.ts';
import { qwen2moe } from './qwen2moe.ts';
import { qwen3 } from './qwen3.ts';
import { qwen3moe } from './qwen3moe.ts';
import { qwen3next } from './qwen3next.ts';
import { qwen3vl } from './qwen3vl.ts';
import { qwen3vlmoe } from './qwen3vlmoe.ts';
import { qwen35 } from './qwen35.ts';
import { qwen35moe } from './qwen35moe.ts';
import { roberta, xlmRoberta } from './roberta.ts';
import { seedOss } from './seed-oss.ts';
import { smollm3 } from './smollm3.ts';
import { stablelm } from './stablelm.ts';
import { starcoder2 } from './starcoder2.ts';

export const architectures: readonly Architecture[] = [
  apertus,
  arcee,
  // Before those whose GGUF name it shares: of two that fit a file the first is taken.
  glm4moelite,
  deepseek2,
  deepseek3,
  deepseek4,
  gemma,
  gemma2,
  gemma3,
  gemma4,
  granite,
  granitehybrid,
  granitemoe,
  granite4,
  granite4moe,
  bailingmoe,
  bailingmoe2,
  bailingmoe3,
  // Those with a head first: without one a file is the encoder's.
  bertReranker,
  robertaReranker,
  xlmRobertaReranker,
  bert,
  roberta,
  xlmRoberta,
  gptOss,
  gemmaEmbedding,
  gpt2,
  laguna,
  lfm2,
  lfm2moe,
  gptneox,
  llama,
  llama4,
  mistral,
  ministral3,
  mistral3,
  mixtral,
  museglimmer,
  nemotron,
  nemotronh,
  nemotronhMoe,
  nomicBert,
  cohere2,
  cohere2moe,
  glm,
  glm4,
  glm4v,
  glm4moe,
  glm4vmoe,
  ernie45,
  ernie45moe,
  exaone4,
  exaonemoe,
  falcon,
  falconTwoNorms,
  falconH1,
  hunyuanDense,
  hunyuanMoe,
  mimo2,
  minimaxm2,
  olmo2,
  olmo3,
  olmoe,
  phi2,
  phi3,
  qwen2,
  qwen2moe,
  qwen3,
  qwen3next,
  qwen3vl,
  qwen3vlmoe,
  qwen35,
  qwen35moe,
  qwen3moe,
  seedOss,
  smollm3,
  stablelm,
  starcoder2,
];

/**
 * The record of a GGUF `general.architecture`. Where several families share the name (`llama`), the first of the table
 * among those with, or without, experts.
 * @throws QuernError `unknown-architecture`, `unsupported-model`
 */
export function architectureByGgufName(name: string, hasExperts: boolean, file?: string): Architecture {
  const named = architectures.filter((architecture) => architecture.name === name);
  const found = named.find(({ experts = false }) => experts === 'some' || hasExperts === experts);
  if (found) return found;
  if (named.length > 0) {
    const text = hasExperts ? `${name} models with experts are not supported` : `a ${name} model must have experts`;
    throw new QuernError('unsupported-model', `${text} (metadata key "${name}.expert_count").`, { file });
  }
  const known = [...new Set(architectures.map((architecture) => architecture.name))];
  throw new QuernError('unknown-architecture', `GGUF architecture "${name}" is not supported.`, {
    file,
    remedy: `${nearestText(name, known)}Supported: ${known.join(', ')}.`,
  });
}

/**
 * The record of a transformers class name (`architectures[0]` of config.json).
 * @throws QuernError `unknown-architecture`
 */
export function architectureByHfName(name: string, file?: string): Architecture {
  const found = architectures.find((architecture) => architecture.hf.includes(name));
  if (found) return found;
  const classes = [...new Set(architectures.flatMap(({ hf }) => hf))];
  throw new QuernError('unknown-architecture', `Model class "${name}" is not supported.`, {
    file,
    remedy: `${nearestText(name, classes)}Supported: ${classes.join(', ')}.`,
  });
}

const nearestText = (name: string, known: readonly string[]): string => {
  const near = nearest(name, known);
  return near.length > 0 ? `Nearest: ${near.join(', ')}. ` : '';
};
