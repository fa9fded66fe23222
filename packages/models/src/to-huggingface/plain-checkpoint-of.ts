// A checkpoint folder of any kind of weights as one of plain numbers: what says how weights are packed is left out of
// config.json, and all the other files stay.
import { carriedFiles, type HfCheckpoint, withoutQuantization } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import { architectures } from '../arch/index.ts';
import { textConfigOf } from '../lens/wrapper.ts';
import { withoutZeroBiases } from '../lens/zero-biases.ts';
import { type CheckpointType, type HuggingFaceModel, torchNames } from './hugging-face-of.ts';

/**
 * Looks at a folder as a checkpoint whose weights will be stored as `type`. Closing it closes the checkpoint.
 * @throws QuernError `tensors-unexpected` when a packed weight has a bias that the architecture has no place for,
 *   `tensors-unsupported-dtype` when weights are codes and nothing says how they are packed
 */
export async function plainCheckpointOf(stored: HfCheckpoint, type: CheckpointType): Promise<HuggingFaceModel> {
  refuseUnsaidCodes(stored);
  const remarks: string[] = [];
  const checkpoint = await withoutFillers(stored, (text) => remarks.push(text));
  const dtype = torchNames[type];
  const files = new Map<string, Uint8Array>();
  for (const name of [...carriedFiles, ...((await checkpoint.chatTemplates?.()) ?? [])]) {
    const bytes = await checkpoint.readBytes(name);
    if (bytes) files.set(name, bytes);
  }
  return {
    ...checkpoint,
    config: { ...withoutQuantization(checkpoint.config), dtype, torch_dtype: dtype },
    sideFiles: files,
    remarks,
  };
}

/** Integers and bytes under the name of a weight mean nothing by themselves: copied, they would pass for its values. */
function refuseUnsaidCodes({ tensors, packing, path }: HfCheckpoint): void {
  if (packing) return;
  const isWeight = /(\.(weight|qweight|weight_packed)|_blocks)$/;
  const codes = [...tensors.values()].filter(
    ({ name, dtype }) => isWeight.test(name) && /^([IU]|F8_)\d*/.test(dtype.name),
  );
  if (codes[0] === undefined) return;
  throw new QuernError(
    'tensors-unsupported-dtype',
    `${codes.length} weights are codes (${codes[0].name} is ${codes[0].dtype.name}), and config.json has no quantization_config.`,
    {
      file: path,
      tensor: codes[0].name,
      remedy: 'Put the quantization_config back that the weights were packed with.',
    },
  );
}

/** Of a model class without a record nobody knows which biases it has: they all stay. */
async function withoutFillers(checkpoint: HfCheckpoint, note: (text: string) => void): Promise<HfCheckpoint> {
  const named = checkpoint.config.architectures;
  const record = Array.isArray(named) && architectures.find(({ hf }) => hf.includes(named[0]));
  return record ? withoutZeroBiases(checkpoint, record, textConfigOf(checkpoint).config, note) : checkpoint;
}
