// Tensors of test/golden/data/awq.
import { fileURLToPath } from 'node:url';
import { openSafetensors } from '@quern/safetensors';
import { openFile } from '@quern/source';

export const dataPath = (name: string): string => fileURLToPath(new URL(`../data/awq/${name}`, import.meta.url));

export const tinyLlama = fileURLToPath(new URL('../../models/tiny-llama', import.meta.url));

/** Bytes of every tensor. */
export async function recordedTensors(name: string): Promise<ReadonlyMap<string, ArrayBuffer>> {
  const source = await openFile(dataPath(name));
  try {
    const file = await openSafetensors(source);
    const tensors = new Map<string, ArrayBuffer>();
    for (const { name: tensor, begin, end } of file.tensors.values())
      tensors.set(tensor, (await source.read(begin, end - begin)).slice().buffer as ArrayBuffer);
    return tensors;
  } finally {
    await source.close();
  }
}
