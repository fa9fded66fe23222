// The size of a model as a listing of its folder has it. What its tensors alone take is the sum of `storedBytes`.
import { stat } from 'node:fs/promises';
import type { ModelView } from './model-view.ts';

/** Bytes of all files that hold tensors of a local model. */
export async function fileBytesOf({ tensors }: ModelView): Promise<number> {
  const files = new Set(Array.from(tensors.values(), ({ file }) => file));
  const sizes = await Promise.all(Array.from(files, async (file) => (await stat(file)).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}
