// What sentence-transformers' files say of a checkpoint: modules.json lists what happens to the states of a text, each step
// with a folder of its own. Pooling becomes llama.cpp's `pooling_type`, Dense modules its `dense_2` and `dense_3`.
// Sources: sentence-transformers models/{Pooling,Dense,Normalize}.py; llama.cpp conversion/base.py _try_set_pooling_type,
// conversion/gemma.py EmbeddingGemma.
import { join } from 'node:path';
import { contiguousTensor, type HfCheckpoint, type TensorView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import type { GgufMetadata } from '@quern/gguf';
import { openSafetensors } from '@quern/safetensors';
import { memorySource, parsePythonJson } from '@quern/source';
import type { Architecture } from '../arch/architecture.ts';
import { isObject, show } from '../arch/config-error.ts';
import type { Json } from '../arch/config-rule.ts';
import type { Pooling } from '../forward/pooling.ts';
import { denseNames, normalizeKey, poolingNumber } from '../read-pooling.ts';

export interface SentenceModules {
  readonly pooling?: Pooling;
  readonly normalize: boolean;
  /** `dense_2.weight`, `dense_3.weight`: [out, in]. */
  readonly dense: readonly TensorView[];
}

const modulesFile = 'modules.json';
type Folder = Pick<HfCheckpoint, 'path' | 'readText' | 'readBytes'>;

/** Undefined without modules.json. @throws QuernError `embedding-modules-unsupported`, naming the module */
export async function sentenceModules(
  folder: Folder,
  architecture: Architecture,
): Promise<SentenceModules | undefined> {
  const listed = await readJson(folder, modulesFile);
  if (listed === undefined) return undefined;
  if (!Array.isArray(listed)) throw unsupported(folder, modulesFile, 'is no list of modules');
  let pooling: Pooling | undefined;
  let normalize = false;
  const dense: TensorView[] = [];
  for (const module of listed) {
    const { type = '', path = '' } = isObject(module) ? module : {};
    const kind = String(type).split('.').at(-1);
    if (kind === 'Pooling') pooling = await poolingOf(folder, `${path}/config.json`);
    else if (kind === 'Normalize') normalize = true;
    else if (kind === 'Dense') dense.push(await denseOf(folder, String(path), architecture, dense.length));
    else if (kind !== 'Transformer') throw unsupported(folder, modulesFile, `has a module of the type ${show(type)}`);
  }
  return { ...(pooling && { pooling }), normalize, dense };
}

/** In the converter's order. */
export function poolingMetadata({ name }: Architecture, { pooling, normalize, dense }: SentenceModules): GgufMetadata {
  const keys: GgufMetadata = new Map();
  for (const [i, { shape }] of dense.entries()) {
    keys.set(`${name}.${denseNames[i]}_feat_in`, { type: 'uint32', value: shape[1]! });
    keys.set(`${name}.${denseNames[i]}_feat_out`, { type: 'uint32', value: shape[0]! });
  }
  if (pooling) keys.set(`${name}.pooling_type`, { type: 'uint32', value: poolingNumber(pooling) });
  if (pooling && !normalize) keys.set(normalizeKey, { type: 'bool', value: false });
  return keys;
}

const modes: Readonly<Record<string, Pooling>> = {
  pooling_mode_mean_tokens: 'mean',
  pooling_mode_cls_token: 'cls',
  pooling_mode_lasttoken: 'last',
};
const names: Readonly<Record<string, Pooling>> = { mean: 'mean', cls: 'cls', lasttoken: 'last' };

async function poolingOf(folder: Folder, file: string): Promise<Pooling> {
  const config = await readJson(folder, file);
  if (!isObject(config)) throw unsupported(folder, file, 'is missing or no object');
  const on = Object.entries(config).filter(([key, value]) => key.startsWith('pooling_mode_') && value === true);
  const found = on.length === 0 ? names[String(config.pooling_mode)] : modes[on[0]![0]];
  if (found && on.length <= 1) return found;
  const said = on.length > 0 ? on.map(([key]) => key).join(' and ') : `pooling_mode ${show(config.pooling_mode)}`;
  throw unsupported(folder, file, `asks for ${said}; mean, cls and lasttoken alone are supported`);
}

async function denseOf(folder: Folder, path: string, { name }: Architecture, index: number): Promise<TensorView> {
  const file = `${path}/config.json`;
  const config = await readJson(folder, file);
  if (!isObject(config)) throw unsupported(folder, file, 'is missing or no object');
  const gguf = denseNames[index];
  if (name !== 'gemma-embedding' || gguf === undefined)
    throw unsupported(folder, file, `is a matrix behind the pooling, which GGUF has no place for in ${name} models`);
  const { activation_function: activation = 'torch.nn.modules.linear.Identity', bias = false } = config as Json;
  if (!String(activation).endsWith('.Identity'))
    throw unsupported(folder, file, `has the activation ${show(activation)}, and GGUF can only say none`);
  if (bias !== false) throw unsupported(folder, file, 'has a bias, which GGUF has no place for');
  const weights = `${path}/model.safetensors`;
  const bytes = await folder.readBytes(weights);
  if (!bytes) throw unsupported(folder, weights, 'is missing');
  const source = memorySource(bytes, join(folder.path, weights));
  const stored = (await openSafetensors(source)).tensors.get('linear.weight');
  const shape = [config.out_features, config.in_features];
  if (!stored || stored.shape.join() !== shape.join())
    throw unsupported(folder, weights, `has no linear.weight of the shape [${shape}]`);
  return contiguousTensor({
    name: `${gguf}.weight`,
    dtype: stored.dtype,
    shape: stored.shape,
    source,
    begin: stored.begin,
  });
}

async function readJson(folder: Folder, name: string): Promise<unknown> {
  const text = await folder.readText(name);
  if (text === undefined) return undefined;
  try {
    return parsePythonJson(text);
  } catch (cause) {
    throw new QuernError('embedding-modules-unsupported', `${name} is not JSON.`, {
      file: join(folder.path, name),
      cause,
    });
  }
}

const unsupported = (folder: Folder, name: string, what: string): QuernError =>
  new QuernError('embedding-modules-unsupported', `${name} ${what}.`, {
    file: join(folder.path, name),
    remedy:
      'Without it the vectors would be others: take a model whose modules are Transformer, Pooling and Normalize.',
  });
