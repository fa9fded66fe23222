// Which tokens mean something: BOS, EOS, the end-of-generation set, and what of the vocabulary is control text.
// GGUF names only a few of them, so llama.cpp finds the rest by their text; the rules are those of its
// `llama_vocab::impl::load` (src/llama-vocab.cpp), in its order, because later rules undo earlier ones.

import { type MetadataView, readInteger } from '../metadata-view.ts';
import { type FillInTokens, tokenTypes } from '../tokenizer.ts';
import type { Vocabulary } from './vocabulary.ts';

export interface SpecialTokens {
  readonly bos?: number;
  readonly eos?: number;
  readonly unk?: number;
  readonly endOfGeneration: ReadonlySet<number>;
  /** Those of them that are ends only because llama.cpp stops at every fill-in-the-middle token. */
  readonly endOfFillIn: ReadonlySet<number>;
  readonly fillIn: FillInTokens;
  /** Types after llama.cpp's corrections by text: what is recognised in text and what decoding leaves out. */
  readonly types: Int32Array;
}

/** What a tokenizer kind assumes when the metadata is silent. */
export interface SpecialDefaults {
  readonly bos?: number;
  readonly eos?: number;
  readonly unk?: number;
}

const endOfTurnTexts = [
  '<|eot_id|>',
  '<|im_end|>',
  '<|end|>',
  '<end_of_turn>',
  '<|endoftext|>',
  '<|end_of_text|>',
  '<EOT>',
  '_<EOT>',
  '[EOT]',
  '<｜end▁of▁sentence｜>',
  '<end_of_utterance>',
];
const endOfMessageTexts = ['<|eom_id|>'];
const endOfGenerationTexts = [
  ...endOfTurnTexts,
  ...endOfMessageTexts,
  '<|return|>',
  '<|call|>',
  '<|flush|>',
  '<|calls|>',
  '</s>',
  '[EOS]',
  '<eos>',
  '<turn|>',
  '<|tool_response>',
  '[e~[',
];

/** Fill-in-the-middle tokens. The first three are control text; the others also end generation. */
const fillInTexts = {
  fim_pre: [
    '<|fim_prefix|>',
    '<fim-prefix>',
    '<fim_prefix>',
    '<｜fim▁begin｜>',
    '<PRE>',
    '▁<PRE>',
    '<|code_prefix|>',
    '<|prefix|>',
  ],
  fim_suf: [
    '<|fim_suffix|>',
    '<fim-suffix>',
    '<fim_suffix>',
    '<｜fim▁hole｜>',
    '<SUF>',
    '▁<SUF>',
    '<|code_suffix|>',
    '<|suffix|>',
  ],
  fim_mid: [
    '<|fim_middle|>',
    '<fim-middle>',
    '<fim_middle>',
    '<｜fim▁end｜>',
    '<MID>',
    '▁<MID>',
    '<|code_middle|>',
    '<|middle|>',
  ],
  fim_pad: ['<|fim_pad|>', '<fim-pad>', '<fim_pad>', '<PAD>', '[PAD]'],
  fim_rep: ['<|fim_repo|>', '<|repo_name|>', '<fim-repo>', '<REPO>', '<reponame>'],
  fim_sep: ['<|file_sep|>'],
} as const;
const deprecatedFillInKeys: Record<string, string> = { fim_pre: 'prefix', fim_suf: 'suffix', fim_mid: 'middle' };

/** Harmony's channel markers are part of the answer's text, whatever the file says. */
const alwaysWritten = ['<|channel|>', '<|message|>', '<|start|>', '<|constrain|>'];

/** Every text that makes a token special in llama.cpp's eyes, whatever the file says. */
export const textsTakenAsSpecial: ReadonlySet<string> = new Set([
  ...endOfGenerationTexts,
  ...Object.values(fillInTexts).flat(),
  ...alwaysWritten,
]);

export function findSpecialTokens(
  metadata: MetadataView,
  vocabulary: Vocabulary,
  defaults: SpecialDefaults,
): SpecialTokens {
  const { idOf } = vocabulary;
  const types = vocabulary.types.slice();
  const count = vocabulary.texts.length;

  /** The id that the metadata gives, else the default; ids outside the vocabulary do not count. */
  const idFrom = (name: string, fallback?: number): number | undefined => {
    const id = readInteger(metadata, `tokenizer.ggml.${name}_token_id`);
    if (id !== undefined && id >= 0 && id < count) return id;
    return fallback !== undefined && fallback < count ? fallback : undefined;
  };
  /** The first of `texts` in the vocabulary; it is control text from now on. */
  const idByText = (texts: readonly string[]): number | undefined => {
    for (const text of texts) {
      const id = idOf.get(text);
      if (id === undefined) continue;
      types[id] = tokenTypes.control;
      return id;
    }
    return undefined;
  };

  const bos = idFrom('bos', defaults.bos);
  const eos = idFrom('eos', defaults.eos);
  const eot = idFrom('eot') ?? idByText(endOfTurnTexts);
  const eom = idFrom('eom') ?? idByText(endOfMessageTexts);
  const fillIn = new Map<string, number | undefined>();
  for (const [name, texts] of Object.entries(fillInTexts)) {
    const older = deprecatedFillInKeys[name];
    fillIn.set(name, (older === undefined ? undefined : idFrom(older)) ?? idFrom(name) ?? idByText(texts));
  }

  const ends = new Set<number>();
  const add = (id: number | undefined) => id !== undefined && ends.add(id);
  for (const text of endOfGenerationTexts) add(idByText([text]));
  for (const text of alwaysWritten) setType(text, tokenTypes.userDefined);
  add(eos);
  add(eot);
  add(eom);
  const endOfFillIn = new Set<number>();
  for (const name of ['fim_pad', 'fim_rep', 'fim_sep']) {
    const id = fillIn.get(name);
    if (id !== undefined && !ends.has(id)) endOfFillIn.add(id);
    add(id);
  }

  const ending = (text: string) => {
    const id = idOf.get(text);
    return id !== undefined && ends.has(id);
  };
  const calls = ending('<|call|>') || ending('<|calls|>');
  if (ending('<|end|>') && calls && (ending('<|return|>') || ending('<|flush|>'))) {
    // Harmony and Solar: <|end|> closes a channel, the answer goes on.
    ends.delete(idOf.get('<|end|>') as number);
    setType('<|end|>', tokenTypes.userDefined);
  }
  if (ending('</s>') && (ending('<|tool_response>') || ending('<|plamo:eos|>'))) {
    ends.delete(idOf.get('</s>') as number);
    setType('</s>', tokenTypes.normal);
  }
  return {
    ...{ bos, eos, unk: idFrom('unknown', defaults.unk), endOfGeneration: ends, endOfFillIn, types },
    fillIn: {
      ...{ prefix: fillIn.get('fim_pre'), suffix: fillIn.get('fim_suf'), middle: fillIn.get('fim_mid') },
      ...{ repository: fillIn.get('fim_rep'), file: fillIn.get('fim_sep') },
    },
  };

  function setType(text: string, type: number): void {
    const id = idOf.get(text);
    if (id !== undefined) types[id] = type;
  }
}
