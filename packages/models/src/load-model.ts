// From a model on disk to a model on a device: the memory is counted first, then the weights stream in, a few rows at a
// time, so that the host never holds a whole tensor.
import type { ModelView, TensorView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import type { Device, Tensor } from '@quern/runtime';
import {
  allocateBuffers,
  allocateCaches,
  type BatchLimits,
  bufferBytes,
  bufferShapes,
  cacheBytes,
} from './forward/buffers.ts';
import { decoderModel } from './forward/decoder-model.ts';
import { loadTensor, readVector, requireWeightDtypes } from './forward/load-tensor.ts';
import type { Model, ModelMemory } from './forward/model.ts';
import { ropeFrequencies } from './forward/rope.ts';
import { arrangeWeights, isMatrix, wantedTensors } from './forward/weights.ts';
import { type Hyperparameters, hyperparameters } from './hyperparameters.ts';

export interface LoadOptions {
  /** Most tokens of one batch. */
  readonly batchTokens: number;
  /** Positions that the KV cache holds, for all sequences together; rounded up to whole blocks. Default: batchTokens. */
  readonly cells?: number;
  /** Positions per cache block. Default 32. */
  readonly blockTokens?: number;
  /** Most sequences of one batch. Default 1. */
  readonly maxSequences?: number;
  /** Most rows of one batch whose logits are wanted. Default: batchTokens. */
  readonly maxOutputs?: number;
  /** Called as weights arrive, in bytes as stored. */
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
}

/**
 * Loads a model of the llama family, dense or with experts. `device` stays the caller's to dispose.
 * @throws QuernError
 *   `model-too-large` with the numbers, before anything is read;
 *   `tensor-missing`, `tensor-unexpected`, `tensor-wrong-shape`, `weight-dtype-unsupported` (tensor and dtype named);
 *   `unsupported-model` when the heads have a shape that the attention op does not take;
 *   and those of `hyperparameters`.
 */
export async function loadModel(view: ModelView, device: Device, options: LoadOptions): Promise<Model> {
  const parameters = hyperparameters(view);
  checkHeads(parameters, view.path);
  const limits = batchLimits(options);
  const wanted = wantedTensors(view, parameters);
  await requireWeightDtypes(device, wanted.filter(isMatrix));

  const shapes = bufferShapes(parameters, limits);
  const memory: ModelMemory = {
    weightBytes: wanted.reduce((sum, t) => sum + (isMatrix(t) ? t.rows * t.rowBytes : 4 * t.cols), 0),
    kvBytes: cacheBytes(parameters, limits),
    activationBytes: bufferBytes(shapes),
  };
  requireMemory(memory, device, limits, view.path);

  const owned: Tensor[] = [];
  const own = (tensor: Tensor): Tensor => {
    owned.push(tensor);
    return tensor;
  };
  const alloc: Device['alloc'] = (...request) => own(device.alloc(...request));
  try {
    const buffers = allocateBuffers(alloc, shapes);
    const caches = allocateCaches(alloc, parameters, limits);

    const loaded = new Map<string, Tensor>();
    const totalBytes = wanted.reduce((sum, t) => sum + t.rows * t.rowBytes, 0);
    let doneBytes = 0;
    for (const tensor of inFileOrder(wanted)) {
      if (tensor.name === 'rope_freqs.weight') continue; // consumed on the host
      const onBytes = (bytes: number) => options.onProgress?.((doneBytes += bytes), totalBytes);
      loaded.set(tensor.name, own(await loadTensor(device, tensor, onBytes)));
    }
    const divisors = view.tensors.get('rope_freqs.weight');
    return decoderModel({
      device,
      hyperparameters: parameters,
      memory,
      limits,
      weights: arrangeWeights(loaded, parameters.blockCount),
      weightNames: new Map([...loaded].map(([name, tensor]) => [tensor, name])),
      caches,
      buffers,
      rope: ropeFrequencies(parameters, divisors && (await readVector(divisors))),
      owned,
    });
  } catch (error) {
    for (const tensor of owned) device.free(tensor);
    throw error;
  }
}

/** The order that a disk likes, and a source that reads ahead. */
const inFileOrder = (tensors: readonly TensorView[]): TensorView[] =>
  [...tensors].sort((a, b) => (a.file === b.file ? a.offset - b.offset : a.file < b.file ? -1 : 1));

function batchLimits(options: LoadOptions): BatchLimits {
  const { batchTokens, cells = batchTokens, blockTokens = 32, maxSequences = 1, maxOutputs = batchTokens } = options;
  for (const [name, value] of Object.entries({ batchTokens, cells, blockTokens, maxSequences, maxOutputs }))
    if (!Number.isSafeInteger(value) || value < 1)
      throw new QuernError('load-option-invalid', `${name} must be a positive integer, got ${value}.`);
  const blocks = Math.ceil(cells / blockTokens);
  return { batchTokens, blockTokens, blocks, maxSequences, maxOutputs, tableWidth: blocks };
}

function checkHeads({ keyLength, valueLength }: Hyperparameters, file: string): void {
  if (keyLength !== valueLength || keyLength % 4 !== 0)
    throw new QuernError(
      'unsupported-model',
      `Heads of ${keyLength} (key) and ${valueLength} (value) scalars are not supported: equal sizes, a multiple of 4, are.`,
      { file },
    );
}

function requireMemory(memory: ModelMemory, device: Device, limits: BatchLimits, file: string): void {
  const { weightBytes, kvBytes, activationBytes } = memory;
  const needed = weightBytes + kvBytes + activationBytes;
  if (needed <= device.limits.memoryBytes) return;
  const cells = limits.blocks * limits.blockTokens;
  throw new QuernError(
    'model-too-large',
    `The model needs ${needed} bytes on the ${device.name} device (weights ${weightBytes}, KV cache of ${cells} tokens ${kvBytes}, ` +
      `batches of ${limits.batchTokens} tokens ${activationBytes}); the device may hold ${device.limits.memoryBytes}.`,
    { file, remedy: 'Use a smaller quantization, a shorter context or a smaller batch.' },
  );
}
