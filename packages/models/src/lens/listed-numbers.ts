// Numbers of blocks that a checkpoint stores as tensors of one element, and GGUF as lists among the metadata (`listed` of a
// record's rule). The way back is ../to-huggingface/listed-tensors.ts.
import type { GgufMetadata } from '@quern/gguf';
import { inF32 } from '../change/mapped-values.ts';
import { ggufTensor } from './gguf-tensor.ts';
import type { MatchedTensor } from './preflight.ts';

/** Reads them: the only values of tensors that a conversion looks at before it writes. */
export async function listedNumbers(matched: readonly MatchedTensor[]): Promise<GgufMetadata> {
  const lists = new Map<string, number[]>();
  for (const match of matched) {
    const key = match.rule.listed!;
    const list = lists.get(key) ?? [];
    list[match.block!] = await numberIn(match);
    lists.set(key, list);
  }
  return new Map([...lists].map(([key, value]) => [key, { type: 'array', of: 'float32', value }]));
}

async function numberIn(match: MatchedTensor): Promise<number> {
  const bytes = new Uint8Array(4);
  await inF32(ggufTensor(match)).readRows(0, 1, bytes);
  return new DataView(bytes.buffer).getFloat32(0, true);
}
