// What tokenizer.json's post-processor adds around a text, as far as GGUF can say it: BOS, EOS, SEP. Reading a template of
// special tokens and sequences is a guess that works for the simple ones in use (converter: gguf-py
// `SpecialVocab._try_load_from_tokenizer_json`).

import { tokenText } from './added-tokens.ts';
import { isObject, type JsonObject } from './checkpoint-files.ts';

export type AddableToken = 'bos' | 'eos' | 'sep';

export interface PostProcessor {
  /** Texts of special tokens by name (`bos`): the configuration's, corrected by what the post-processor really adds. */
  texts: Map<string, string>;
  added: Map<AddableToken, boolean>;
}

const names = ['bos', 'eos', 'unk', 'sep', 'pad', 'cls', 'mask'];

export function readPostProcessor(tokenizer: JsonObject | undefined, config: JsonObject | undefined): PostProcessor {
  const texts = new Map<string, string>();
  for (const name of names) {
    const text = tokenText(config?.[`${name}_token`]);
    if (text) texts.set(name, text);
  }
  const added = new Map<AddableToken, boolean>();
  const processor = tokenizer?.post_processor;
  if (!tokenizer || !isObject(processor)) return { texts, added };

  // Encoders name BOS and EOS "cls" and "sep".
  setIfMissing(texts, 'bos', texts.get('cls'));
  setIfMissing(texts, 'eos', texts.get('sep'));
  for (const step of Array.isArray(processor.processors) ? processor.processors : [processor]) {
    if (!isObject(step)) continue;
    if (step.type === 'ByteLevel') {
      if (!added.has('bos')) added.set('bos', false);
      if (!added.has('eos')) added.set('eos', false);
    } else if (step.type === 'RobertaProcessing') {
      for (const name of ['bos', 'eos', 'sep'] as const) added.set(name, true);
      setIfMissing(texts, 'cls', Array.isArray(step.cls) ? tokenText(step.cls[0]) : texts.get('bos'));
      setIfMissing(texts, 'sep', Array.isArray(step.sep) ? tokenText(step.sep[0]) : texts.get('eos'));
    } else if (step.type === 'TemplateProcessing') {
      readTemplate(list(step.single), list(step.pair), texts, added);
    }
  }
  return { texts, added };
}

/** `single` is e.g. `<s> A`, `pair` `<s> A <s> B`. */
function readTemplate(
  single: readonly unknown[],
  pair: readonly unknown[],
  texts: Map<string, string>,
  added: Map<AddableToken, boolean>,
): void {
  const first = single.length > 1 ? specialAt(single[0]) : undefined;
  if (first !== undefined) {
    setIfMissing(texts, 'bos', first);
    if (first !== texts.get('bos')) setIfMissing(texts, 'cls', first);
    added.set('bos', first === texts.get('bos') || first === texts.get('cls'));
  }
  const last = single.length > 1 ? specialAt(single.at(-1)) : undefined;
  if (last !== undefined) {
    const eos = texts.get('eos');
    if (last !== eos) {
      // What the configuration calls EOS ends turns; what is put at the end of a text is EOS.
      if (eos !== undefined && !texts.has('eot')) texts.set('eot', eos);
      texts.set('eos', last);
    }
    added.set('eos', true);
  }
  const begin = first !== undefined && specialAt(pair[0]) === first ? 1 : 0;
  const end = last !== undefined && specialAt(pair.at(-1)) === last ? -1 : undefined;
  const inner = pair.slice(begin, end);
  if (sequenceAt(inner[0]) !== 'A' || sequenceAt(inner.at(-1)) !== 'B') return;
  const between = inner.slice(1, -1).map(specialAt);
  if (between.length === 0) return;
  const separates = (text: string | undefined) =>
    text !== undefined && (text === texts.get('sep') || text === texts.get('eos'));
  const add = (separates(between[0]) && last === undefined) || (between.length === 2 && separates(between[1]));
  added.set('sep', add);
  if (add) setIfMissing(texts, 'sep', texts.get('eos'));
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function specialAt(entry: unknown): string | undefined {
  const special = isObject(entry) && isObject(entry.SpecialToken) ? entry.SpecialToken.id : undefined;
  return typeof special === 'string' ? special : undefined;
}

function sequenceAt(entry: unknown): string | undefined {
  const sequence = isObject(entry) && isObject(entry.Sequence) ? entry.Sequence.id : undefined;
  return typeof sequence === 'string' ? sequence : undefined;
}

function setIfMissing(texts: Map<string, string>, name: string, text: string | undefined): void {
  if (text && !texts.has(name)) texts.set(name, text);
}
