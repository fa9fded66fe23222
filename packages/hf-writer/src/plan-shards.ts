// Which tensor goes into which file. transformers' `save_pretrained` fills files in order up to a size and names them
// `model-00001-of-0000N.safetensors`, with an index beside them
//   {"metadata": {"total_size": bytes}, "weight_map": {"<tensor>": "<file>"}}
// or, when one file is enough, `model.safetensors` alone. Names and index: huggingface_hub `split_state_dict_into_shards`.
import { rowBytes } from '@quern/blocks';
import { QuernError } from '@quern/errors';
import { layoutSafetensors, type SafetensorsLayout } from '@quern/safetensors';
import type { HfTensorSpec } from './hf-folder.ts';

/** 5 GB, as transformers 4 wrote by default. */
export const defaultMaxShardBytes = 5_000_000_000;

export interface Shard {
  /** Name in the folder. */
  readonly file: string;
  readonly layout: SafetensorsLayout<HfTensorSpec>;
}

export interface ShardPlan {
  readonly shards: readonly Shard[];
  /** Text of model.safetensors.index.json; undefined when there is one file. */
  readonly index?: string;
}

/**
 * @param dir for errors
 * @throws QuernError `usage-max-shard-size`, `hf-no-tensors`, and those of `layoutSafetensors`
 */
export function planShards(
  dir: string,
  tensors: readonly HfTensorSpec[],
  maxShardBytes = defaultMaxShardBytes,
): ShardPlan {
  if (!(maxShardBytes > 0)) throw new QuernError('usage-max-shard-size', `A file of ${maxShardBytes} bytes is empty.`);
  if (tensors.length === 0) throw new QuernError('hf-no-tensors', 'There are no tensors to write.', { file: dir });
  // Proves names and shapes of all tensors together: a name may occur once, not once per file.
  layoutSafetensors(dir, tensors);
  const groups = split(tensors, maxShardBytes);
  const shards = groups.map((group, i): Shard => {
    const file = shardName(i, groups.length);
    return { file, layout: layoutSafetensors(`${dir}/${file}`, group, metadata) };
  });
  return groups.length === 1 ? { shards } : { shards, index: indexText(shards) };
}

/** What transformers writes and, in older versions, demands. */
const metadata: ReadonlyMap<string, string> = new Map([['format', 'pt']]);

export const shardName = (index: number, count: number): string =>
  count === 1
    ? 'model.safetensors'
    : `model-${String(index + 1).padStart(5, '0')}-of-${String(count).padStart(5, '0')}.safetensors`;

function split(tensors: readonly HfTensorSpec[], maxBytes: number): HfTensorSpec[][] {
  const groups: HfTensorSpec[][] = [];
  let room = 0;
  for (const tensor of tensors) {
    const bytes = sizeOf(tensor);
    const group = groups.at(-1);
    if (group && bytes <= room) {
      group.push(tensor);
      room -= bytes;
    } else {
      groups.push([tensor]);
      room = maxBytes - bytes;
    }
  }
  return groups;
}

const sizeOf = ({ dtype, shape }: HfTensorSpec): number =>
  rowBytes(
    dtype,
    shape.reduce((product, size) => product * size, 1),
  );

function indexText(shards: readonly Shard[]): string {
  const places = shards.flatMap(({ file, layout }) => layout.tensors.map((placed) => ({ file, ...placed })));
  const total = places.reduce((sum, { bytes }) => sum + bytes, 0);
  const names = places.map(({ file, tensor }): [string, string] => [tensor.name, file]);
  names.sort(([a], [b]) => (a < b ? -1 : 1));
  const index = { metadata: { total_size: total }, weight_map: Object.fromEntries(names) };
  return `${JSON.stringify(index, null, 2)}\n`;
}
