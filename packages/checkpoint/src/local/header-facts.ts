// What the header of a model that is here says beyond its name: read for listings, and never the weights.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readGgufHeader } from '@quern/gguf';
import { openFile, parsePythonJson } from '@quern/source';
import type { LocalModel } from './local-model.ts';

export interface HeaderFacts {
  /** `llama`: llama.cpp's word in a GGUF, transformers' (`model_type`) in a checkpoint. */
  readonly architecture?: string;
  /** By its name, else what most of the weights are stored as. */
  readonly quant?: string;
  /** Why the header cannot be read. */
  readonly fault?: string;
}

/** A file that cannot be read is said to be so: one damaged model must not hide the others. */
export async function headerFacts(model: LocalModel): Promise<HeaderFacts> {
  try {
    const read = model.kind === 'gguf' ? await ofGguf(model.path) : await ofCheckpoint(model.path);
    return model.quant === undefined ? read : { ...read, quant: model.quant };
  } catch (error) {
    return { ...(model.quant !== undefined && { quant: model.quant }), fault: (error as Error).message };
  }
}

async function ofGguf(path: string): Promise<HeaderFacts> {
  const source = await openFile(path);
  try {
    const { metadata, tensors } = await readGgufHeader(source);
    const bytes = new Map<string, number>();
    for (const { dtype, byteLength } of tensors.values())
      bytes.set(dtype.name, (bytes.get(dtype.name) ?? 0) + byteLength);
    const [most] = [...bytes].sort((a, b) => b[1] - a[1]);
    return { ...text('architecture', metadata.get('general.architecture')?.value), ...text('quant', most?.[0]) };
  } finally {
    await source.close();
  }
}

async function ofCheckpoint(dir: string): Promise<HeaderFacts> {
  // Mistral's own folders have a params.json that names no architecture.
  if (!existsSync(join(dir, 'config.json'))) return { architecture: 'mistral' };
  const config = (parsePythonJson(await readFile(join(dir, 'config.json'), 'utf8')) ?? {}) as Record<string, unknown>;
  const { quant_method: method } = (config.quantization_config ?? {}) as Record<string, unknown>;
  return {
    ...text('architecture', config.model_type),
    ...text('quant', method ?? config.dtype ?? config.torch_dtype),
  };
}

const text = (key: string, value: unknown): object => (typeof value === 'string' ? { [key]: value } : {});
