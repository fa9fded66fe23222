// The post-processor of tokenizer.json: BOS before, EOS behind a text. It is built so that reading it back
// (../huggingface/post-processor.ts) gives the same `tokenizer.ggml.add_*_token` keys.

import { type MetadataView, readBoolean } from '../metadata-view.ts';
import type { Tokenizer } from '../tokenizer.ts';

type Part = Record<string, unknown>;

/** Puts nothing around a text; for files that say so expressly. */
const byteLevel: Part = { type: 'ByteLevel', add_prefix_space: true, trim_offsets: false, use_regex: true };

/** @param isByteLevel the vocabulary is byte-level BPE's  @param sep id of the separator */
export function postProcessorOf(
  metadata: MetadataView,
  tokenizer: Tokenizer,
  isByteLevel: boolean,
  sep: number | undefined,
): Part | null {
  const says = (name: string) => readBoolean(metadata, `tokenizer.ggml.add_${name}_token`);
  const bos = tokenizer.addBos ? tokenizer.bos : undefined;
  const eos = tokenizer.addEos ? tokenizer.eos : undefined;
  const steps: Part[] = [];
  // Llama 3 writes both steps; its files are the ones with both keys.
  if (isByteLevel && says('bos') !== undefined && says('eos') !== undefined) steps.push(byteLevel);
  if (bos !== undefined || eos !== undefined) {
    const separator = sep ?? eos ?? tokenizer.eos;
    const between = says('sep') ? [...(eos === undefined ? [] : [eos]), separator] : says('sep') === false ? [bos] : [];
    steps.push(template(tokenizer, { bos, eos, between: between.filter((id) => id !== undefined) }));
  }
  if (steps.length < 2) return steps[0] ?? null;
  return { type: 'Sequence', processors: steps };
}

function template(
  tokenizer: Tokenizer,
  { bos, eos, between }: { bos?: number; eos?: number; between: readonly number[] },
): Part {
  const special = (id: number): Part => ({ SpecialToken: { id: tokenizer.piece(id), type_id: 0 } });
  const text = (name: 'A' | 'B'): Part => ({ Sequence: { id: name, type_id: 0 } });
  const before = bos === undefined ? [] : [special(bos)];
  const after = eos === undefined ? [] : [special(eos)];
  const used = [...new Set([bos, eos, ...between])].filter((id) => id !== undefined);
  return {
    type: 'TemplateProcessing',
    single: [...before, text('A'), ...after],
    pair: [...before, text('A'), ...between.map(special), text('B'), ...after],
    special_tokens: Object.fromEntries(
      used.map((id) => {
        const content = tokenizer.piece(id);
        return [content, { id: content, ids: [id], tokens: [content] }];
      }),
    ),
  };
}
