// What an embedding checkpoint's recorder has written beside it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { recordedFloats, recordedTensor } from './recorded.ts';

/** Texts, tokens and vectors, one behind the other, that sentence-transformers' way gave. */
export function recordedEmbeddings(folder: string) {
  const { texts } = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as { texts: string[] };
  const file = join(folder, 'expected.safetensors');
  const rowsOf = (name: string) => {
    const { shape, bytes } = recordedTensor(file, name);
    const [, width] = shape as [number, number];
    return texts.map((_, row) => [...new Int32Array(bytes, 4 * row * width, width)]);
  };
  const mask = rowsOf('attention_mask');
  const ids = rowsOf('input_ids').map((row, text) => row.filter((_, i) => mask[text]![i] === 1));
  return { texts, ids, vectors: recordedFloats(file, 'embeddings') };
}
