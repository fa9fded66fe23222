// The proof that config.json and the tokenizer files say what the GGUF file says: they are read back through the lens,
// and what comes out must mean the same. What a model class cannot say is refused here, whatever it is.
import { dtypeByName } from '@quern/blocks';
import type { HfCheckpoint, ModelView, TensorView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import { tokenizerFromGguf, tokenTypes } from '@quern/tokenizer';
import { hyperparameters } from '../hyperparameters.ts';
import { hfModelView } from '../lens/hf-model-view.ts';
import { architectureOf } from '../network-of.ts';

/**
 * @returns notes: metadata of the architecture that neither quern nor config.json has a place for
 * @throws QuernError `export-differs`, naming what would be lost; and those of the lens
 */
export async function verifyExport(view: ModelView, checkpoint: HfCheckpoint): Promise<string[]> {
  const plain = dtypeByName('F32')!;
  const tensors = new Map(
    [...checkpoint.tensors].map(([name, tensor]) => [name, isWhole(tensor) ? tensor : { ...tensor, dtype: plain }]),
  );
  const back = await hfModelView({ ...checkpoint, tensors });
  const file = view.path;
  const { network, name } = architectureOf(view);
  const numbers = network ? differentNumbers(view, back) : [];
  const keys = numbers.length > 0 ? [] : differentKeys(view, back, `${name}.`);
  const differences = [...numbers, ...keys, ...differentTokenizers(view, back)];
  if (differences.length > 0) {
    throw new QuernError('export-differs', `A Hugging Face checkpoint cannot say ${differences.join('; ')}.`, {
      file,
      remedy: 'Take the files from the original checkpoint.',
    });
  }
  const lost = [...view.metadata.keys()].filter((key) => key.startsWith(`${name}.`) && !back.metadata.has(key));
  return lost.length === 0 ? [] : [`metadata without a place in config.json: ${lost.join(', ')}`];
}

/** Tables of whole numbers are no weights. */
const isWhole = ({ dtype }: TensorView): boolean => dtype.name === 'I64' || dtype.name === 'I32';

function differentNumbers(view: ModelView, back: ModelView): string[] {
  const [before, after] = [flat(hyperparameters(view)), flat(hyperparameters(back))];
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((key) => before.get(key) !== after.get(key))
    .map((key) => `${key} ${before.get(key)} (it would be ${after.get(key)})`);
}

/** Keys that both have with different values. A list of equal values means what one value means. */
function differentKeys(view: ModelView, back: ModelView, prefix: string): string[] {
  const said = ({ metadata }: ModelView, key: string): string | undefined => {
    const value = metadata.get(key);
    if (value === undefined) return undefined;
    const items: readonly unknown[] = value.type === 'array' ? value.value : [value.value];
    return (items.every((item) => item === items[0]) ? items.slice(0, 1) : items).map(String).join();
  };
  return [...view.metadata.keys()]
    .filter((key) => key.startsWith(prefix) && back.metadata.has(key) && said(view, key) !== said(back, key))
    .map((key) => `${key} ${said(view, key)} (it would be ${said(back, key)})`);
}

/** Nested numbers by dotted name. */
function flat(value: object, prefix = ''): Map<string, unknown> {
  return new Map(
    Object.entries(value).flatMap(([key, item]): [string, unknown][] =>
      typeof item === 'object' ? [...flat(item, `${prefix}${key}.`)] : [[prefix + key, item]],
    ),
  );
}

function differentTokenizers(view: ModelView, back: ModelView): string[] {
  const list = (of: ModelView, key: string): readonly unknown[] => {
    const value = of.metadata.get(`tokenizer.ggml.${key}`);
    return value?.type === 'array' ? value.value : [];
  };
  const [texts, texts2, types, types2] = [
    ...[list(view, 'tokens'), list(back, 'tokens')],
    ...[list(view, 'token_type'), list(back, 'token_type')],
  ];
  const differences: string[] = [];
  const [before, after] = [tokenizerFromGguf(view.metadata), tokenizerFromGguf(back.metadata)];
  const named = new Set([
    ...['bos', 'eos', 'unknown', 'padding', 'seperator', 'mask'].map(
      (name) => view.metadata.get(`tokenizer.ggml.${name}_token_id`)?.value,
    ),
  ]);
  texts.forEach((text, id) => {
    // Ids without a token have no text that matters; what is named as special becomes a control token.
    const type = types[id] ?? tokenTypes.normal;
    if (type === tokenTypes.unused || text === `[PAD${id}]`) return;
    if (texts2[id] !== text) differences.push(`that token ${id} is ${JSON.stringify(text)}`);
    else if (types2[id] !== type && !named.has(id)) differences.push(`that token ${id} has the type ${type}`);
  });
  const [merges, merges2] = [list(view, 'merges'), list(back, 'merges')];
  if (merges.length !== merges2.length || merges.some((merge, i) => merge !== merges2[i])) {
    differences.push('the merges of the tokenizer as they are');
  }
  for (const key of ['bos', 'eos', 'addBos', 'addEos'] as const) {
    if (before[key] !== after[key])
      differences.push(`${key} ${before[key]} of the tokenizer (it would be ${after[key]})`);
  }
  return differences.slice(0, 5);
}
