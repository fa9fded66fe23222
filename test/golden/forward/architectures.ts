// THE list of architectures that run: one row each, which is all that a new one adds here. Tests are in
// architectures.test.ts; a checkpoint is a folder of test/models/arch or, where it is too large for the clone, of
// arch/ in QUERN_MODELS (default ../shared/models).
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { testPath } from './recorded.ts';

export interface ArchitectureRow {
  /** Name of the folder. */
  readonly name: string;
  /** Largest difference of a logit from transformers': 1e-4 is f32 arithmetic in another order; 1e-3 at most. */
  readonly tolerance?: number;
}

export const architectureRows: readonly ArchitectureRow[] = [
  { name: 'cohere2moe' },
  { name: 'bailingmoe' },
  { name: 'bailingmoe2' },
  { name: 'bailingmoe3', tolerance: 5e-4 }, // transformers computes the delta rule in chunks
  { name: 'glm' },
  { name: 'glm4' },
  { name: 'glm4v' },
  { name: 'glm4moe' },
  { name: 'glm4vmoe' },
  { name: 'gptneox' },
  { name: 'hunyuan-dense' },
  { name: 'falcon-h1' },
  { name: 'phi2' },
  { name: 'stablelm' },
  { name: 'stablelm-parallel' },
  { name: 'falcon' },
  { name: 'falcon-40b' },
  { name: 'nemotron' },
  { name: 'phi3-long' },
  { name: 'minimaxm2' },
  { name: 'olmo3' },
  { name: 'exaonemoe' },
  { name: 'ernie45moe' },
  { name: 'hunyuanmoe' },
  { name: 'olmo2' },
  { name: 'gpt2' },
  { name: 'phi3' },
  { name: 'starcoder2' },
  { name: 'deepseek3' },
  { name: 'glm4moelite' },
  { name: 'gemma2' },
  { name: 'gemma3' },
  { name: 'gemma3-vl-wrapper' },
  { name: 'gemma4' },
  { name: 'gemma4-dense' },
  { name: 'gemma4-moe' },
  { name: 'gpt-oss' },
  { name: 'ministral3' },
  { name: 'llama-spm' },
  { name: 'llama3' },
  { name: 'mistral' },
  { name: 'mixtral' },
  { name: 'qwen2' },
  { name: 'qwen2moe' },
  { name: 'qwen3' },
  { name: 'qwen3moe' },
  { name: 'qwen3vl' },
  { name: 'granitehybrid' },
  { name: 'lfm2moe' },
  { name: 'nemotronh' },
  { name: 'nemotronh-moe' },
  { name: 'qwen35', tolerance: 5e-4 }, // transformers computes the delta rule in chunks
  { name: 'qwen35-vl-wrapper', tolerance: 5e-4 },
  { name: 'qwen35moe', tolerance: 5e-4 },
  { name: 'smollm3' },
  { name: 'museglimmer' },
  { name: 'laguna' },
  { name: 'apertus' },
  { name: 'mimo2' },
  { name: 'llama4' },
];

/** Undefined when it is in neither place. */
export function checkpointOf(name: string): string | undefined {
  const beside = resolve(process.env.QUERN_MODELS ?? testPath('../../shared/models'), 'arch', name);
  return [testPath(`models/arch/${name}`), beside].find((folder) => existsSync(folder));
}
