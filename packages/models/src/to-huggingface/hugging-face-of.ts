// The reverse lens: a GGUF model seen as a Hugging Face checkpoint, with the tensor names, shapes and row order that
// transformers has, config.json and tokenizer files. Nothing but metadata is read until rows are asked for.
import type { HfCheckpoint, ModelView, TensorView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import { tokenizerFilesOf, tokenizerFromGguf } from '@quern/tokenizer';
import { modelNumbers } from '../arch/model-numbers.ts';
import { hyperparameters } from '../hyperparameters.ts';
import type { PlainFileType } from '../lens/dtype-policy.ts';
import { modelCardOf } from '../model-card/model-card-of.ts';
import { checkpointTensors } from './checkpoint-tensors.ts';
import { exportedArchitecture } from './choose-architecture.ts';
import { configJson } from './config-json.ts';
import { generationConfig } from './generation-config.ts';
import { ropeConfig } from './rope-config.ts';
import { sentenceTransformersFiles } from './sentence-transformers-files.ts';
import { verifyExport } from './verify-export.ts';

/** What a checkpoint's weights are stored as. */
export type CheckpointType = Exclude<PlainFileType, 'Q8_0'>;

/** config.json's `dtype`. */
export const torchNames = { F32: 'float32', F16: 'float16', BF16: 'bfloat16' } as const;

/** A checkpoint that no folder holds yet. */
export interface HuggingFaceModel extends HfCheckpoint {
  /** Every file but the weights and config.json, by name. */
  readonly sideFiles: ReadonlyMap<string, string | Uint8Array>;
  /** What was left out and says nothing, one sentence each. */
  readonly remarks?: readonly string[];
  /** Tensors that stay F32 whatever type the others get. */
  readonly f32?: ReadonlySet<string>;
}

/**
 * Looks at a GGUF model as a checkpoint whose weights will be stored as `type`. Tensors keep their stored type. Closing it
 * closes the view.
 * @throws QuernError `unknown-architecture`, `unsupported-model`, `unsupported-rope`, `metadata-*`, `tensors-*`,
 *   `tokenizer-*`, `pre-tokenizer-unknown`, `export-differs`
 */
export async function huggingFaceOf(view: ModelView, type: CheckpointType): Promise<HuggingFaceModel> {
  const architecture = exportedArchitecture(view);
  // Of a network that runs more is known than of one that only converts: its numbers are checked first.
  if (architecture.network) hyperparameters(view);
  const numbers = modelNumbers(view, architecture.name, tokenRows(view));
  const { tensors, flags, tied, f32 } = checkpointTensors(view, architecture, numbers);
  const tokenizer = tokenizerFromGguf(view.metadata);
  const sideFiles = tokenizerFilesOf(view.metadata);
  for (const [name, content] of await sentenceTransformersFiles(view, architecture, type)) sideFiles.set(name, content);
  const rope = await ropeConfig(view, architecture, numbers);
  const dtype = torchNames[type];
  const config = configJson(view, architecture, { numbers, tokenizer, rope, flags, tied, dtype });
  const generation = generationConfig(view, tokenizer, config.pad_token_id);
  sideFiles.set('generation_config.json', `${JSON.stringify(generation, null, 2)}\n`);

  const card = modelCardOf(view);
  if (card !== undefined) sideFiles.set('README.md', card);

  const files = new Map([...sideFiles, ['config.json', JSON.stringify(config)]]);
  const readBytes = async (name: string) => {
    const content = files.get(name);
    return typeof content === 'string' ? new TextEncoder().encode(content) : content;
  };
  const checkpoint: HfCheckpoint = {
    path: view.path,
    config,
    tensors,
    notes: [],
    readBytes,
    readText: async (name) => {
      const bytes = await readBytes(name);
      return bytes && new TextDecoder().decode(bytes);
    },
    close: () => view.close(),
  };
  const notes = [...(view.notes ?? []), ...(await verifyExport(view, checkpoint))];
  return { ...checkpoint, sideFiles, notes, f32 };
}

/** `<arch>.vocab_size` is optional in GGUF: the embedding has one row per token. */
function tokenRows({ tensors, path }: ModelView): number {
  const embedding = tensors.get('token_embd.weight');
  if (embedding) return embedding.rows;
  throw new QuernError('tensors-missing', 'The file lacks token_embd.weight.', { file: path });
}

/**
 * `auto`: the type of the matrices where that is one of three. Packed and quantized weights do not count when there are
 * others; alone they become F16, which is nearer to their values than BF16.
 */
export function guessCheckpointType(tensors: Iterable<TensorView>): CheckpointType {
  const plain = [...tensors].filter(({ shape, packed }) => shape.length >= 2 && packed === undefined);
  const types = new Set(plain.map(({ dtype }) => dtype.name));
  if (types.has('BF16')) return 'BF16';
  return types.size === 1 && types.has('F32') ? 'F32' : 'F16';
}
