// Cross-encoders (bge-reranker, ms-marco-MiniLM, …): an encoder whose first state passes a dense layer with tanh and one row per
// label, read on a query and a document together. GGUF calls them `cls` and `cls.output`.
// Source: llama.cpp conversion/bert.py, src/llama-graph.cpp build_pooling; transformers models/{bert,roberta,xlm_roberta}
// …ForSequenceClassification. llama.cpp's converter drops BERT's pooler, without which its scores are others: here the pooler
// is the dense layer that it is.
import type { Architecture, ConfigRule, Json, TensorRule } from './architecture.ts';
import { bert, bertHeads } from './bert.ts';
import { outsideBlocks } from './dense.ts';
import { roberta, xlmRoberta } from './roberta.ts';

const outputMatrix = 'cls.output.weight';

const labelsOf = ({ id2label, num_labels: count }: Json): string[] => {
  if (typeof id2label === 'object' && id2label !== null)
    return Object.entries(id2label)
      .sort(([a], [b]) => Number(a) - Number(b))
      .map(([, label]) => String(label));
  // transformers gives a class without labels two.
  return Array.from({ length: typeof count === 'number' ? count : 2 }, (_, i) => `LABEL_${i}`);
};

/** transformers' own two labels say nothing, and the converter writes none. */
const labels: ConfigRule = {
  gguf: ['classifier.output_labels'],
  type: 'string',
  made: (config) => {
    const all = labelsOf(config);
    return all.length === 2 && all[0] === 'LABEL_0' ? undefined : all;
  },
  back: (numbers) => {
    const count = numbers.rowsOf(outputMatrix) ?? 1;
    const names = numbers.texts('classifier.output_labels') ?? Array.from({ length: count }, (_, i) => `LABEL_${i}`);
    return {
      id2label: Object.fromEntries(names.map((name, i) => [i, name])),
      label2id: Object.fromEntries(names.map((name, i) => [name, i])),
    };
  },
};

function headTensors(dense: string, output: string): TensorRule[] {
  return [
    outsideBlocks(`${dense}.weight`, 'cls.weight', ['embd', 'embd']),
    outsideBlocks(`${dense}.bias`, 'cls.bias', ['embd']),
    outsideBlocks(`${output}.weight`, outputMatrix, ['labels', 'embd']),
    outsideBlocks(`${output}.bias`, 'cls.output.bias', ['labels']),
  ];
}

const rerankerOf = (
  record: Architecture,
  name: { readonly family: string; readonly hf: string },
  dense: string,
  output: string,
): Architecture => ({
  ...record,
  ...{ family: name.family, hf: [name.hf] },
  isOf: (file) => record.isOf!(file) && file.hasTensor(outputMatrix),
  config: [...record.config, labels],
  tensors: [...record.tensors, ...headTensors(dense, output)],
  rows: (config) => new Map([[outputMatrix, labelsOf(config).length]]),
  sizes: (numbers) => ({ labels: numbers.rowsOf(outputMatrix) ?? 1 }),
  leftOut: [...(record.leftOut ?? [])].filter(({ start }) => !dense.startsWith(start)),
});

export const bertReranker: Architecture = {
  ...rerankerOf(
    bert,
    { family: 'bert-reranker', hf: 'BertForSequenceClassification' },
    'bert.pooler.dense',
    'classifier',
  ),
  leftOut: bertHeads.filter(({ start }) => start !== 'pooler.'),
  remarks: [
    'runs for scores of documents (`/v1/rerank`) alone',
    'BERT’s pooler becomes `cls`, which llama.cpp’s converter leaves out: its scores are then others than transformers’',
  ],
};

const robertaRemarks = ['runs for scores of documents (`/v1/rerank`) alone'];

export const robertaReranker: Architecture = {
  ...rerankerOf(
    roberta,
    { family: 'roberta-reranker', hf: 'RobertaForSequenceClassification' },
    'classifier.dense',
    'classifier.out_proj',
  ),
  remarks: robertaRemarks,
};

export const xlmRobertaReranker: Architecture = {
  ...rerankerOf(
    xlmRoberta,
    { family: 'xlm-roberta-reranker', hf: 'XLMRobertaForSequenceClassification' },
    'classifier.dense',
    'classifier.out_proj',
  ),
  remarks: robertaRemarks,
};
