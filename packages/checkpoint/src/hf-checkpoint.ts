// A checkpoint folder: config.json, tokenizer files, and weights in safetensors or as torch.save writes them (one file or
// shards). A folder in Mistral's own words is seen as transformers would have it.
import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { DType } from '@quern/blocks';
import { QuernError } from '@quern/errors';
import {
  describesActivations,
  describesCache,
  type PackedScheme,
  schemeOf,
  standaloneConfigs,
  withoutQuantization,
} from '@quern/packed';
import { openIndexed, openParts } from '@quern/safetensors';
import { openFile, parsePythonJson, type Source } from '@quern/source';
import { openTorchIndex, openTorchParts } from '@quern/torch';
import { refuseAdapter } from './adapter-only.ts';
import { blaming } from './blame.ts';
import { chatTemplateFolder, isChatTemplate, isModuleFile, isVersionedModel } from './carried-files.ts';
import { contiguousTensor } from './contiguous-tensor.ts';
import { headsInHalves } from './mistral/heads-in-halves.ts';
import { type TranslatedParams, translateParams } from './mistral/params.ts';
import { mistralSideFiles } from './mistral/side-files.ts';
import { transformersName } from './mistral/tensor-names.ts';
import type { HfCheckpoint, TensorView } from './model-view.ts';
import { unpackTensors } from './packed-tensor.ts';
import { type WeightFiles, weightFiles } from './weight-files.ts';

// config.json of real models is some KB; the largest tokenizer.json known is some 35 MB.
const maxConfigBytes = 16 * 2 ** 20;
const modelOptFile = 'hf_quant_config.json';
const maxSideFileBytes = 512 * 2 ** 20;

/**
 * Opens a folder; reads config.json and the headers of the weights, nothing else.
 * @throws QuernError `checkpoint-no-config`, `checkpoint-bad-config`, `checkpoint-bad-name`,
 *   `checkpoint-file-too-large`, `checkpoint-ambiguous`, `checkpoint-shard-missing`, `checkpoint-no-weights`,
 *   `checkpoint-adapter-only`, and those of `openIndexed`, `openParts`, `openTorchIndex`, `openTorchParts`, `schemeOf` and
 *   `openPacked`
 */
export async function openHfCheckpoint(dir: string): Promise<HfCheckpoint> {
  const names = await readdir(dir);
  const files = weightFiles(names, dir);
  if (!files) await refuseAdapter(names, dir, (name) => openFile(join(dir, name)));
  const own = files?.dialect === 'mistral' ? await readParams(dir) : undefined;
  const config = own?.config ?? (await readConfig(dir));
  const weights = await openWeights(dir, files);
  try {
    const { scheme, file } = await schemeIn(dir, config);
    const { stored, notes } = storedTensors(weights, own && transformersName);
    const { tensors, packing } = scheme
      ? await blaming({ file: dir, config: file }, () => unpackTensors(scheme, stored))
      : { tensors: stored };
    return {
      path: dir,
      tensors: own ? headsInHalves(tensors, own) : tensors,
      notes: [...(files?.notes ?? []), ...(own?.notes ?? []), ...notes],
      config: scheme ? config : withoutQuantization(config),
      ...(packing && { packing }),
      ...(own ? mistralSideFiles(sideFiles(dir), config) : sideFiles(dir)),
      close: () => weights.close(),
    };
  } catch (error) {
    await weights.close();
    throw error;
  }
}

/** What the files hold, but for what only says how activations and the KV cache are to be rounded. */
function storedTensors(
  weights: Weights,
  nameOf: (stored: string) => string = (stored) => stored,
): { stored: Map<string, TensorView>; notes: string[] } {
  const stored = new Map<string, TensorView>();
  const forCache: string[] = [];
  const forActivations: string[] = [];
  for (const [original, { dtype, shape, source, begin, aliasOf }] of weights.tensors) {
    const name = nameOf(original);
    if (describesCache(name)) forCache.push(name);
    else if (describesActivations(name)) forActivations.push(name);
    else {
      const view = contiguousTensor({ name, dtype, shape, source, begin });
      stored.set(name, aliasOf === undefined ? view : { ...view, aliasOf: nameOf(aliasOf) });
    }
  }
  const noteOf = (what: string, [first, ...others]: readonly string[]): string[] => {
    if (first === undefined) return [];
    const count = others.length === 0 ? first : `${others.length + 1} tensors, the first ${first}`;
    return [`left out, for rounding ${what}: ${count}`];
  };
  return { stored, notes: [...noteOf('the KV cache', forCache), ...noteOf('activations', forActivations)] };
}

/** How the weights are packed, and the file that says so: config.json, ModelOpt's, else that of AutoGPTQ or AutoAWQ. */
async function schemeIn(dir: string, config: Config): Promise<{ scheme?: PackedScheme; file: string }> {
  const understood = async (name: string, settings: Config, modelOpt?: Config) => {
    const file = join(dir, name);
    return { file, scheme: await blaming({ file, config: file }, async () => schemeOf(settings, modelOpt)) };
  };
  const first = await understood('config.json', config, await readSettings(dir, modelOptFile));
  if (first.scheme) return first;
  const found: { name: string; settings: Config }[] = [];
  for (const [name, method] of standaloneConfigs) {
    const settings = await readSettings(dir, name);
    if (settings) found.push({ name, settings: { quantization_config: { quant_method: method, ...settings } } });
  }
  if (found.length > 1) {
    throw new QuernError('packed-config-conflict', `There are ${found.map(({ name }) => name).join(' and ')}.`, {
      file: dir,
      remedy: 'Keep the one that the tensors were made with.',
    });
  }
  return found[0] ? understood(found[0].name, found[0].settings) : first;
}

/** What a JSON file of the folder says; undefined where there is none. @throws QuernError `checkpoint-bad-config` */
export async function readSettings(dir: string, name: string): Promise<Config | undefined> {
  const bytes = await readSideFile(dir, name, maxConfigBytes);
  return bytes && parseObject(bytes, join(dir, name));
}

type SideFiles = 'readBytes' | 'readText' | 'chatTemplates' | 'fileNames';

/** The files beside the weights. */
export const sideFiles = (dir: string): Pick<HfCheckpoint, SideFiles> => ({
  readBytes: async (name) =>
    (await readSideFile(dir, name, maxSideFileBytes)) ??
    (name === 'tokenizer.model' ? readVersionedModel(dir) : undefined),
  readText: async (name) => {
    const bytes = await readSideFile(dir, name, maxSideFileBytes);
    return bytes && decodeUtf8(bytes, join(dir, name));
  },
  chatTemplates: async () => {
    const names = await readdir(join(dir, chatTemplateFolder)).catch(() => []);
    return names
      .map((name) => `${chatTemplateFolder}/${name}`)
      .filter(isChatTemplate)
      .sort();
  },
  fileNames: async () => (await readdir(dir)).sort(),
});

/** Mistral publishes `tokenizer.model.v3`, whose number is that of its chat format; the newest is the model's. */
async function readVersionedModel(dir: string): Promise<Uint8Array | undefined> {
  const names = (await readdir(dir)).filter(isVersionedModel);
  const newest = names.sort((a, b) => a.localeCompare(b, 'en', { numeric: true })).at(-1);
  return newest === undefined ? undefined : readSideFile(dir, newest, maxSideFileBytes);
}

/** What both containers say of a tensor. */
interface Weights {
  readonly tensors: ReadonlyMap<
    string,
    {
      readonly dtype: DType;
      readonly shape: readonly number[];
      readonly source: Source;
      readonly begin: number;
      readonly aliasOf?: string;
    }
  >;
  close(): Promise<void>;
}

async function openWeights(dir: string, weights: WeightFiles | undefined): Promise<Weights> {
  if (!weights) {
    throw new QuernError('checkpoint-no-weights', 'There are neither safetensors nor pytorch_model.bin.', {
      file: dir,
    });
  }
  const { container, index, files = [] } = weights;
  if (index !== undefined) return container === 'torch' ? openTorchIndex(dir, index) : openIndexed(dir, index);
  if (container === 'torch') return openTorchParts(dir, files);
  return openParts(dir, files).catch((error: unknown) => {
    const twice = error instanceof QuernError && error.code === 'safetensors-tensor-in-two-shards';
    if (!twice || !weights.unrelatedNames) throw error;
    throw new QuernError('checkpoint-ambiguous', `The folder has weights of ${files.length} models.`, {
      file: dir,
      tensor: error.tensor,
      remedy: `Keep those of one, or call it model.safetensors: ${files.join(', ')}.`,
    });
  });
}

type Config = Readonly<Record<string, unknown>>;

async function readConfig(dir: string): Promise<Config> {
  const config = await readSettings(dir, 'config.json');
  if (config) return config;
  throw new QuernError('checkpoint-no-config', 'The folder has no config.json.', {
    file: dir,
    remedy: 'Give the folder of a Hugging Face checkpoint, or a .gguf file.',
  });
}

async function readParams(dir: string): Promise<TranslatedParams> {
  const params = await readSettings(dir, 'params.json');
  if (params) return translateParams(params, join(dir, 'params.json'));
  throw new QuernError(
    'checkpoint-no-config',
    "The folder has Mistral's consolidated.safetensors and no params.json.",
    {
      file: dir,
      remedy: 'Fetch params.json into the folder.',
    },
  );
}

function parseObject(bytes: Uint8Array, file: string): Config {
  let value: unknown;
  try {
    value = parsePythonJson(decodeUtf8(bytes, file));
  } catch (cause) {
    if (cause instanceof QuernError) throw cause;
    throw new QuernError('checkpoint-bad-config', `${basename(file)} is not JSON: ${(cause as Error).message}.`, {
      file,
      cause,
      remedy: 'Fetch the file again: it may be cut off, or a web page.',
    });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Config;
  throw new QuernError('checkpoint-bad-config', `${basename(file)} is not a JSON object.`, { file });
}

/** A file directly in the folder, or a chat template in the folder of those; undefined when there is none. */
async function readSideFile(dir: string, name: string, maxBytes: number): Promise<Uint8Array | undefined> {
  const plain = /^[^/\\:\0]+$/.test(name) && name !== '.' && name !== '..';
  if (!plain && !isChatTemplate(name) && !isModuleFile(name)) {
    throw new QuernError('checkpoint-bad-name', `${JSON.stringify(name)} is no plain file name.`, { file: dir });
  }
  const path = join(dir, name);
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile()) return undefined;
  const source = await openFile(path);
  try {
    if (source.size > maxBytes) {
      throw new QuernError('checkpoint-file-too-large', `${name} has ${source.size} bytes.`, {
        file: path,
        remedy: `At most ${maxBytes} are read.`,
      });
    }
    return await source.read(0, source.size);
  } finally {
    await source.close();
  }
}

function decodeUtf8(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new QuernError('checkpoint-not-utf8', 'The file is not UTF-8 text.', { file, cause });
  }
}
