// THE table of architectures. A new one is a file beside this and a line here (docs/adding/architecture.md).
import { QuernError } from '@quern/errors';
import type { Architecture } from './architecture.ts';
import { llama } from './llama.ts';
import { mistral } from './mistral.ts';
import { qwen2 } from './qwen2.ts';
import { qwen3 } from './qwen3.ts';

export const architectures: readonly Architecture[] = [llama, mistral, qwen2, qwen3];

/**
 * The record of a GGUF `general.architecture`. Where several families share the name (`llama`), the first of the table.
 * @throws QuernError `unknown-architecture`
 */
export function architectureByGgufName(name: string, file?: string): Architecture {
  const found = architectures.find((architecture) => architecture.name === name);
  if (found) return found;
  const known = [...new Set(architectures.map((architecture) => architecture.name))];
  throw new QuernError('unknown-architecture', `GGUF architecture "${name}" is not supported.`, {
    file,
    remedy: `Supported: ${known.join(', ')}.`,
  });
}

/**
 * The record of a transformers class name (`architectures[0]` of config.json).
 * @throws QuernError `unknown-architecture`
 */
export function architectureByHfName(name: string, file?: string): Architecture {
  const found = architectures.find((architecture) => architecture.hf.includes(name));
  if (found) return found;
  throw new QuernError('unknown-architecture', `Model class "${name}" is not supported.`, {
    file,
    remedy: `Supported: ${architectures.flatMap((architecture) => architecture.hf).join(', ')}.`,
  });
}
