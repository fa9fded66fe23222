// A GGUF file is known by its first four bytes, not by its name (gguf.md `magic`).
import { openFile } from '@quern/source';

/** @throws QuernError those of `openFile` */
export async function isGguf(path: string): Promise<boolean> {
  const source = await openFile(path);
  try {
    return source.size >= 4 && new TextDecoder().decode(await source.read(0, 4)) === 'GGUF';
  } finally {
    await source.close();
  }
}
