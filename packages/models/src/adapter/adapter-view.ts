// A PEFT adapter as the GGUF file that llama.cpp's convert_lora_to_gguf.py makes of it: `<weight>.lora_a` and `.lora_b`, and
// one alpha for all pairs. Where ranks are rooted or modules have alphas of their own, which that script passes over, the
// alpha is chosen so that it is right for all pairs, or what is left goes into B.
import type { ModelView, TensorView } from '@quern/checkpoint';
import type { GgufMetadata } from '@quern/gguf';
import { mappedValues } from '../change/mapped-values.ts';
import { modelName } from '../lens/general-metadata.ts';
import { metadataReader } from '../metadata-reader.ts';
import { cardMetadata, readCard } from '../model-card/card-metadata.ts';
import type { LoraPair } from './lora.ts';
import type { PeftAdapter } from './peft-adapter.ts';

/** @param base the model that the adapter was opened for; closing the view leaves both open */
export async function adapterView(adapter: PeftAdapter, base: ModelView): Promise<ModelView> {
  const notes: string[] = [];
  const pairs = [...adapter.pairs.values()];
  const alpha = alphaOf(pairs) ?? adapter.alpha;
  const tensors = new Map<string, TensorView>();
  let changed = 0;
  for (const { weight, a, b, rank, factor } of pairs) {
    const left = (factor * rank) / alpha;
    const inB = isOne(left) ? b : mappedValues(b, (value) => value * left);
    if (inB !== b) changed++;
    for (const [half, view] of [
      ['lora_a', a],
      ['lora_b', inB],
    ] as const)
      tensors.set(`${weight}.${half}`, { ...view, name: `${weight}.${half}` });
  }
  if (changed > 0)
    notes.push(`GGUF has one alpha for all pairs: in ${changed} of them B is multiplied by what is left of theirs`);
  const fallback = { name: modelName(adapter.path) };
  const card = await readCard(adapter.folder, (text) => notes.push(text));
  const metadata: GgufMetadata = new Map([
    [architectureKey, { type: 'string', value: metadataReader(base).string(architectureKey) }],
    ['general.type', { type: 'string', value: 'adapter' }],
    ['adapter.type', { type: 'string', value: 'lora' }],
    ...cardMetadata(card, { fallback, note: (text) => notes.push(text) }),
    ['adapter.lora.alpha', { type: 'float32', value: Math.fround(alpha) }],
    ['general.quantization_version', { type: 'uint32', value: 2 }],
  ]);
  return { path: adapter.path, metadata, tensors, notes, close: async () => {} };
}

const architectureKey = 'general.architecture';

/** That of all pairs, if they have one. */
function alphaOf(pairs: readonly LoraPair[]): number | undefined {
  const [first] = pairs.map(({ factor, rank }) => factor * rank);
  return pairs.every(({ factor, rank }) => isOne((factor * rank) / first!)) ? first : undefined;
}

/** But for rounding. */
const isOne = (ratio: number): boolean => Math.abs(ratio - 1) < 1e-12;
