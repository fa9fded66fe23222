// RoBERTa and XLM-RoBERTa (bge-m3, multilingual-e5): BERT whose positions begin behind that of padding; the one with GPT-2's
// vocabulary, the other with SentencePiece's Unigram. In GGUF both are bert.
// Source: llama.cpp conversion/bert.py RobertaModel, XLMRobertaModel; transformers models/{roberta,xlm_roberta}.
import { withoutFirstRows } from '../change/without-first-rows.ts';
import type { Architecture, ConfigRule, Json, TensorRule } from './architecture.ts';
import { bert, bertHeads, encoderRemark } from './bert.ts';

/** The id of padding, 1 in all models, and the one behind it. */
const cut = 2;

const context: ConfigRule = {
  gguf: ['context_length'],
  type: 'uint32',
  made: ({ max_position_embeddings: rows = 512 }: Json) => rows - cut,
  back: (numbers) => ({ max_position_embeddings: numbers.at('context_length')! + cut }),
};

const positions = (rule: TensorRule): TensorRule =>
  rule.gguf === 'position_embd.weight'
    ? { ...rule, stored: { ...rule.stored!, changes: [withoutFirstRows(cut)] } }
    : rule;

const family = {
  ...bert,
  config: bert.config.map((rule) => (typeof rule === 'object' && rule.gguf[0] === 'context_length' ? context : rule)),
  fixed: [...bert.fixed, { key: 'pad_token_id', values: [1], why: 'positions begin at 2' }],
  ignored: [...bert.ignored!, 'output_past'],
  tensors: bert.tensors.map(positions),
  leftOut: [...bertHeads, { start: 'lm_head.', what: 'head for masked words' }],
  remarks: [encoderRemark, 'the first two rows of the positions, which no text has, are zeros when they come back'],
} as const satisfies Architecture;

export const roberta: Architecture = {
  ...family,
  family: 'roberta',
  hf: ['RobertaModel', 'RobertaForMaskedLM'],
  modelType: 'roberta',
  isOf: (file) => file.tokenizerModel === 'gpt2',
  preTokenizers: { 'gpt-2': 'roberta-bpe' },
};

export const xlmRoberta: Architecture = {
  ...family,
  family: 'xlm-roberta',
  hf: ['XLMRobertaModel', 'XLMRobertaForMaskedLM'],
  modelType: 'xlm-roberta',
  isOf: (file) => file.tokenizerModel === 't5',
  remarks: [
    ...family.remarks,
    'without sentencepiece.bpe.model llama.cpp’s converter writes that no spaces are put in front and none merged, which gives other tokens; quern writes what tokenizer.json does',
  ],
};
