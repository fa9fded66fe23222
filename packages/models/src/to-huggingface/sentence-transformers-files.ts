// The files of sentence-transformers that say how texts become vectors: the counterpart of ../lens/sentence-transformers.ts.
import { codecOf, type DType, dtypeByName } from '@quern/blocks';
import type { ModelView, TensorView } from '@quern/checkpoint';
import { layoutSafetensors } from '@quern/safetensors';
import type { Architecture } from '../arch/architecture.ts';
import { networkReader } from '../network-reader.ts';
import { denseNames, readPooling } from '../read-pooling.ts';

type Files = Map<string, string | Uint8Array>;

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
const packageName = 'sentence_transformers.models';

/** Names of the matrices behind the pooling: they are no tensors of the model itself there. */
export const isDense = (name: string): boolean => denseNames.some((dense) => name === `${dense}.weight`);

/** Empty for a model that does not say how its states are pooled. @param type of the matrices: `BF16` */
export async function sentenceTransformersFiles(view: ModelView, { name }: Architecture, type: string): Promise<Files> {
  const files: Files = new Map();
  const pooling = readPooling(networkReader(view, name), view);
  if (!pooling || pooling.scores) return files;
  const modules: string[] = ['', '1_Pooling', ...pooling.dense.map((_, i) => `${i + 2}_Dense`)];
  if (pooling.normalize) modules.push(`${modules.length}_Normalize`);
  const listed = modules.map((path, idx) => ({
    idx,
    name: String(idx),
    path,
    type: `${packageName}.${path === '' ? 'Transformer' : path.replace(/^\d+_/, '')}`,
  }));
  files.set('modules.json', json(listed));
  files.set(
    '1_Pooling/config.json',
    json({
      word_embedding_dimension: networkReader(view, name).integer('embedding_length', 1, 1 << 20),
      pooling_mode_cls_token: pooling.type === 'cls',
      pooling_mode_mean_tokens: pooling.type === 'mean',
      pooling_mode_max_tokens: false,
      pooling_mode_mean_sqrt_len_tokens: false,
      pooling_mode_weightedmean_tokens: false,
      pooling_mode_lasttoken: pooling.type === 'last',
      include_prompt: true,
    }),
  );
  for (const [i, { name: matrix, rows, cols }] of pooling.dense.entries()) {
    const folder = `${i + 2}_Dense`;
    files.set(
      `${folder}/config.json`,
      json({
        in_features: cols,
        out_features: rows,
        bias: false,
        activation_function: 'torch.nn.modules.linear.Identity',
      }),
    );
    files.set(`${folder}/model.safetensors`, await denseFile(view.tensors.get(matrix)!, dtypeByName(type)!));
  }
  return files;
}

async function denseFile(tensor: TensorView, dtype: DType): Promise<Uint8Array> {
  const bytes = new Uint8Array(tensor.rows * tensor.rowBytes);
  await tensor.readRows(0, tensor.rows, bytes);
  const count = tensor.rows * tensor.cols;
  const values = new Float32Array(count);
  codecOf(tensor.dtype).decode(bytes, values);
  const { header, fileBytes } = layoutSafetensors('model.safetensors', [
    { name: 'linear.weight', dtype, shape: tensor.shape },
  ]);
  const file = new Uint8Array(fileBytes);
  file.set(header);
  codecOf(dtype).encode(values, file.subarray(header.length), count);
  return file;
}
