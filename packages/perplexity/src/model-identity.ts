// Which model it is, whatever its file is called and wherever it lies; and whether two models speak of the same tokens.
import { createHash } from 'node:crypto';
import type { ModelView, TensorView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import { hyperparameters, type ScaledAdapter } from '@quern/models';

/** Of a tensor's first row; enough to tell one quantization or training from another. */
const probeBytes = 4096;

/** SHA-256 over hyperparameters, vocabulary, and name, type, shape and first bytes of every tensor, those of adapters too. */
export async function modelFingerprint(view: ModelView, adapters: readonly ScaledAdapter[] = []): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(hyperparameters(view)));
  for (const token of tokensOf(view)) hash.update(`${token}\n`);
  const probe = async (tensor: TensorView): Promise<void> => {
    hash.update(JSON.stringify([tensor.name, tensor.dtype.name, tensor.shape]));
    const row = new Uint8Array(tensor.rowBytes);
    await tensor.readRows(0, 1, row);
    hash.update(row.subarray(0, probeBytes));
  };
  for (const tensor of view.tensors.values()) await probe(tensor);
  for (const { adapter, scale } of adapters)
    for (const { weight, factor, a, b } of adapter.pairs.values()) {
      hash.update(JSON.stringify([weight, factor * scale]));
      await probe(a);
      await probe(b);
    }
  return hash.digest('hex');
}

/**
 * Distributions over different vocabularies have no divergence.
 * @throws QuernError `vocabulary-differs` with the first difference
 */
export function requireSameVocabulary(view: ModelView, base: ModelView): void {
  const differ = (how: string): QuernError =>
    new QuernError('vocabulary-differs', `The model cannot be compared with ${base.path}: ${how}.`, {
      file: view.path,
      remedy: 'Compare models of one vocabulary, such as quantizations of one checkpoint.',
    });
  const [own, its] = [hyperparameters(view).vocabSize, hyperparameters(base).vocabSize];
  if (own !== its) throw differ(`its vocabulary has ${own} tokens, the base's ${its}`);
  const [tokens, baseTokens] = [tokensOf(view), tokensOf(base)];
  if (tokens.length !== baseTokens.length)
    throw differ(`it names ${tokens.length} tokens, the base ${baseTokens.length}`);
  const place = tokens.findIndex((token, i) => token !== baseTokens[i]);
  if (place >= 0)
    throw differ(`token ${place} is ${JSON.stringify(tokens[place])}, the base's ${JSON.stringify(baseTokens[place])}`);
}

function tokensOf({ metadata }: ModelView): readonly unknown[] {
  const value = metadata.get('tokenizer.ggml.tokens')?.value;
  return Array.isArray(value) ? value : [];
}
