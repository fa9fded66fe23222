// Packed checkpoints of test/models as whole folders: those there leave out what another folder of test/models has.
import { copyFileSync, cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const models = join(import.meta.dirname, 'models');
const tokenizer = ['tokenizer.json', 'tokenizer_config.json', 'generation_config.json'];

/** Into an empty folder: `packed/<scheme>` with the tokenizer of the model that it was made of. */
export function packedFolder(scheme: string, folder: string): string {
  cpSync(join(models, 'packed', scheme), folder, { recursive: true });
  for (const name of tokenizer) copyFileSync(join(models, 'arch/llama3', name), join(folder, name));
  return folder;
}

/** Into an empty folder: AutoAWQ's tiny-llama, whose embedding is that of tiny-llama. */
export function awqFolder(folder: string): string {
  cpSync(join(models, 'tiny-llama-awq'), folder, { recursive: true });
  for (const name of tokenizer) copyFileSync(join(models, 'tiny-llama', name), join(folder, name));
  writeFileSync(join(folder, 'model-00001-of-00002.safetensors'), embeddingOf(join(models, 'tiny-llama')));
  return folder;
}

/** A safetensors file of the embedding alone. */
function embeddingOf(folder: string): Buffer {
  const file = readFileSync(join(folder, 'model.safetensors'));
  const headerBytes = Number(file.readBigUInt64LE(0));
  const name = 'model.embed_tokens.weight';
  const { dtype, shape, data_offsets: offsets } = JSON.parse(file.subarray(8, 8 + headerBytes).toString())[name];
  const [begin, end] = offsets as [number, number];
  const header = Buffer.from(JSON.stringify({ [name]: { dtype, shape, data_offsets: [0, end - begin] } }));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, file.subarray(8 + headerBytes + begin, 8 + headerBytes + end)]);
}
