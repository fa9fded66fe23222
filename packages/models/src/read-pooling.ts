// How a file says that texts become vectors: llama.cpp's `pooling_type`, and the matrices behind it (`dense_2`, `dense_3`).
import type { ModelView } from '@quern/checkpoint';
import { type DenseSpec, type Pooling, type PoolingSpec, poolings } from './forward/pooling.ts';
import { metadataReader } from './metadata-reader.ts';
import type { NetworkReader, NetworkSource } from './network-reader.ts';

/** llama.h `llama_pooling_type`; 0 is none. */
const types = [undefined, ...poolings] as const;
/** Scores of labels in place of a vector. */
const ranking = 4;

export const poolingNumber = (type: PoolingSpec['type']): number => types.indexOf(type);

/** quern's own key, written when a checkpoint's vectors keep their length. llama.cpp normalizes by default. */
export const normalizeKey = 'quern.normalize_embeddings';

export const denseNames = ['dense_2', 'dense_3'] as const;

/** Undefined when the file does not say. */
export function readPooling(
  read: NetworkReader,
  { metadata }: Pick<NetworkSource, 'metadata'>,
): PoolingSpec | undefined {
  const number = read.optionalInteger('pooling_type', 0, 0, 255);
  if (number === ranking || (number === 0 && read.hasTensor('cls.output.weight'))) return readRanking(read);
  const type = types[number];
  if (type === undefined) return undefined;
  const dense = denseNames.flatMap((name): DenseSpec[] =>
    read.hasTensor(`${name}.weight`)
      ? [
          {
            name: `${name}.weight`,
            rows: read.integer(`${name}_feat_out`, 1, 1 << 20),
            cols: read.integer(`${name}_feat_in`, 1, 1 << 20),
          },
        ]
      : [],
  );
  let width = read.integer('embedding_length', 1, 1 << 20);
  for (const { name, rows, cols } of dense) {
    if (cols !== width) read.fail(`${name.replace('.weight', '')}_feat_in`, `${cols} scalars of ${width}`);
    width = rows;
  }
  return { type, dense, normalize: metadata.get(normalizeKey)?.value !== false };
}

/** The heads that llama.cpp knows: a dense layer with tanh or none, then a row per label; Qwen 3's two rows are those of yes and no. */
function readRanking(read: NetworkReader): PoolingSpec {
  const width = read.integer('embedding_length', 1, 1 << 20);
  const layer = (name: string, act?: 'tanh'): DenseSpec[] => {
    const rows = read.rowsOf(`${name}.weight`);
    if (rows === undefined) return [];
    const bias = `${name}.bias`;
    return [{ name: `${name}.weight`, rows, cols: width, ...(read.hasTensor(bias) && { bias }), ...(act && { act }) }];
  };
  const dense = [...layer('cls', 'tanh'), ...layer('cls.output')];
  if (dense.length === 0) read.fail('pooling_type', 'ranking, of a file without a head (cls, cls.output)');
  const asksAndAnswers = read.architecture === 'qwen3' || read.architecture === 'qwen3vl';
  return { type: asksAndAnswers ? 'last' : 'cls', dense, normalize: false, scores: { softmax: asksAndAnswers } };
}

/** The same model, its texts pooled in another way; vectors are normalized unless the file says otherwise. */
export function withPooling(view: ModelView, type: Pooling): ModelView {
  const key = `${metadataReader(view).string('general.architecture')}.pooling_type`;
  return { ...view, metadata: new Map([...view.metadata, [key, { type: 'uint32', value: poolingNumber(type) }]]) };
}
