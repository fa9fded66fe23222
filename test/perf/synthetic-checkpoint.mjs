// Writes a Llama checkpoint of a given size with seeded random weights and the tokenizer of tiny-llama: large enough to
// measure on, quick to make, the same bytes everywhere.
//
//   node test/perf/synthetic-checkpoint.mjs <folder> <megabytes> [seed]
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const tinyLlama = join(import.meta.dirname, '../models/tiny-llama');
const bytesPerWeight = 2;
const shardBytes = 2 * 10 ** 9;
/** Weights are cut from this many random ones: making billions of normals would take longer than what is measured. */
const tableWeights = 2 ** 20;

/** Widths that real models of about this size have. */
function shapeFor(megabytes) {
  const big = megabytes >= 2000;
  const hidden = big ? 2048 : megabytes >= 100 ? 1024 : 256;
  const feedForward = 4 * hidden;
  const kv = hidden / 4;
  const perLayer = bytesPerWeight * (2 * hidden * hidden + 2 * hidden * kv + 3 * hidden * feedForward);
  const layers = Math.max(1, Math.ceil((megabytes * 10 ** 6) / perLayer));
  return { hidden, feedForward, kv, layers, heads: hidden / 64, kvHeads: kv / 64 };
}

function tensorsOf({ hidden, feedForward, kv, layers }, vocabulary) {
  const tensors = [
    ['model.embed_tokens.weight', [vocabulary, hidden]],
    ['model.norm.weight', [hidden]],
  ];
  for (let layer = 0; layer < layers; layer++) {
    const name = (part) => `model.layers.${layer}.${part}.weight`;
    tensors.push(
      [name('input_layernorm'), [hidden]],
      [name('post_attention_layernorm'), [hidden]],
      [name('self_attn.q_proj'), [hidden, hidden]],
      [name('self_attn.k_proj'), [kv, hidden]],
      [name('self_attn.v_proj'), [kv, hidden]],
      [name('self_attn.o_proj'), [hidden, hidden]],
      [name('mlp.gate_proj'), [feedForward, hidden]],
      [name('mlp.up_proj'), [feedForward, hidden]],
      [name('mlp.down_proj'), [hidden, feedForward]],
    );
  }
  return tensors.map(([name, shape]) => ({ name, shape, bytes: bytesPerWeight * shape.reduce((a, b) => a * b, 1) }));
}

/** mulberry32. */
function seededRandom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Normally distributed weights as BF16, by cutting off the lower half of the float. */
function weightTable(random) {
  const floats = Float32Array.from(
    { length: tableWeights },
    () => 0.02 * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()),
  );
  const words = new Uint32Array(floats.buffer);
  return new Uint8Array(Uint16Array.from(words, (word) => word >>> 16).buffer);
}

async function writeShard(path, tensors, table, random) {
  let end = 0;
  const entries = tensors.map(({ name, shape, bytes }) => {
    const begin = end;
    end += bytes;
    return [name, { dtype: 'BF16', shape, data_offsets: [begin, end] }];
  });
  const json = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const file = await open(path, 'w');
  await file.write(length);
  await file.write(json);
  for (const { bytes } of tensors) {
    for (let left = bytes; left > 0; ) {
      const begin = bytesPerWeight * Math.floor(random() * (tableWeights / 2));
      const count = Math.min(left, table.length - begin);
      await file.write(table, begin, count);
      left -= count;
    }
  }
  await file.close();
}

/**
 * Makes the checkpoint unless the folder has it already.
 * @returns the size of its weights in bytes
 */
export async function syntheticCheckpoint(folder, megabytes, seed = 1) {
  const config = JSON.parse(readFileSync(join(tinyLlama, 'config.json'), 'utf8'));
  const shape = shapeFor(megabytes);
  const tensors = tensorsOf(shape, config.vocab_size);
  const total = tensors.reduce((sum, { bytes }) => sum + bytes, 0);
  const done = join(folder, 'config.json');
  if (existsSync(done)) return total;

  mkdirSync(folder, { recursive: true });
  const shards = [[]];
  let filled = 0;
  for (const tensor of tensors) {
    if (filled + tensor.bytes > shardBytes) {
      shards.push([]);
      filled = 0;
    }
    shards.at(-1).push(tensor);
    filled += tensor.bytes;
  }
  const random = seededRandom(seed);
  const table = weightTable(random);
  const five = (n) => String(n).padStart(5, '0');
  const nameOf = (i) =>
    shards.length === 1 ? 'model.safetensors' : `model-${five(i + 1)}-of-${five(shards.length)}.safetensors`;
  for (const [i, shard] of shards.entries()) await writeShard(join(folder, nameOf(i)), shard, table, random);
  if (shards.length > 1) {
    const weightMap = Object.fromEntries(shards.flatMap((shard, i) => shard.map(({ name }) => [name, nameOf(i)])));
    const index = { metadata: { total_size: total }, weight_map: weightMap };
    writeFileSync(join(folder, 'model.safetensors.index.json'), JSON.stringify(index));
  }
  for (const name of ['tokenizer.json', 'tokenizer_config.json', 'generation_config.json']) {
    copyFileSync(join(tinyLlama, name), join(folder, name));
  }
  const { hidden, feedForward, layers, heads, kvHeads } = shape;
  Object.assign(config, {
    hidden_size: hidden,
    intermediate_size: feedForward,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: kvHeads,
    head_dim: hidden / heads,
  });
  // Written last: its presence says that the rest is complete.
  writeFileSync(done, JSON.stringify(config, null, 2));
  return total;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [folder, megabytes, seed] = process.argv.slice(2);
  if (!folder || !(Number(megabytes) > 0)) {
    console.error('usage: node test/perf/synthetic-checkpoint.mjs <folder> <megabytes> [seed]');
    process.exit(2);
  }
  const bytes = await syntheticCheckpoint(folder, Number(megabytes), seed === undefined ? 1 : Number(seed));
  console.log(`${folder}: ${bytes} bytes of weights`);
}
