// quern convert --to hf as a process, and the way round: checkpoint -> llama.cpp's GGUF -> checkpoint -> GGUF.
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { codecOf, dtypeByName, TranscodePool } from '@quern/blocks';
import { openGgufModel, openHfCheckpoint, type TensorView } from '@quern/checkpoint';
import { planPlainCheckpoint, writePlainCheckpoint } from '@quern/hf-writer';
import { planConversion, writeModel } from '@quern/kquant';
import { guessCheckpointType, huggingFaceOf, openModel, plainCheckpointOf } from '@quern/models';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { briefCommand, root, runCommand } from './cli-fixture.ts';

const models = join(root, 'test/models');
const archs = ['llama-spm', 'llama3', 'mistral', 'mixtral', 'qwen2', 'qwen2moe', 'qwen3', 'qwen3moe', 'tiny-llama'];
const folderOf = (name: string) => join(models, name === 'tiny-llama' ? name : `arch/${name}`);
const ggufOf = (name: string, type = 'bf16') =>
  join(folderOf(name), name === 'tiny-llama' ? 'expected' : '', `llama.cpp-${type}.gguf`);
/** Side files as transformers loaded them; see the README beside it. */
const loaded = JSON.parse(readFileSync(join(root, 'test/golden/data/to-huggingface/loaded.json'), 'utf8'));

let folder: string;
let pool: TranscodePool;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'quern-to-hf-'));
  pool = await TranscodePool.create({ threads: 2 });
});
afterAll(async () => {
  await pool.close();
  rmSync(folder, { recursive: true, force: true });
});

const sha256 = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');

async function bytesOf(tensor: TensorView): Promise<Uint8Array> {
  const bytes = new Uint8Array(tensor.rows * tensor.rowBytes);
  await tensor.readRows(0, tensor.rows, bytes);
  return bytes;
}

async function decoded(tensor: TensorView): Promise<Float32Array> {
  const values = new Float32Array(tensor.rows * tensor.cols);
  codecOf(tensor.dtype).decode(await bytesOf(tensor), values);
  return values;
}

async function toFolder(gguf: string, out: string, wanted?: 'F32'): Promise<string> {
  const view = await openGgufModel(gguf);
  const type = wanted ?? guessCheckpointType(view.tensors.values());
  const checkpoint = await huggingFaceOf(view, type);
  await writePlainCheckpoint(out, checkpoint, planPlainCheckpoint(checkpoint, type), { threads: 2 });
  await checkpoint.close();
  return type;
}

describe.each(archs)('%s', (name) => {
  test('comes back: the weights, then the GGUF file byte for byte', async () => {
    const out = join(folder, name);
    expect(await toFolder(ggufOf(name), out)).toBe('BF16');
    const [original, ours] = [await openHfCheckpoint(folderOf(name)), await openHfCheckpoint(out)];
    expect([...ours.tensors.keys()].sort()).toEqual([...original.tensors.keys()].sort());
    for (const [key, tensor] of original.tensors) {
      const other = ours.tensors.get(key)!;
      expect([other.dtype, other.shape], key).toEqual([tensor.dtype, tensor.shape]);
      expect(Buffer.compare(await bytesOf(other), await bytesOf(tensor)), key).toBe(0);
    }
    await original.close();
    await ours.close();

    const back = await openModel(out);
    const gguf = join(folder, `${name}.gguf`);
    await writeModel(back, planConversion(back, 'auto'), gguf, { pool });
    await back.close();
    expect(readFileSync(gguf).equals(readFileSync(ggufOf(name)))).toBe(true);
  });

  test('is the folder that transformers loaded', () => {
    const out = join(folder, name);
    // transformers reads no model card.
    const names = readdirSync(out).filter((file) => file !== 'model.safetensors' && file !== 'README.md');
    expect(Object.fromEntries(names.sort().map((file) => [file, sha256(join(out, file))]))).toEqual(loaded[name]);
  });
});

test.each(['q8_0', 'f16', 'f32'])('a %s file becomes its own values, exactly', async (type) => {
  const out = join(folder, `llama3-${type}`);
  await toFolder(ggufOf('llama3', type), out, 'F32');
  const [gguf, ours, bf16] = [
    await openGgufModel(ggufOf('llama3', type)),
    await openModel(out),
    await openModel(folderOf('llama3')),
  ];
  // The lens turns the folder's tensors into GGUF's order again: rows of q and k included.
  for (const [key, tensor] of gguf.tensors) {
    expect(ours.tensors.get(key)!.dtype).toBe(dtypeByName('F32'));
    expect(
      Buffer.compare(
        new Uint8Array((await decoded(ours.tensors.get(key)!)).buffer),
        new Uint8Array((await decoded(tensor)).buffer),
      ),
      key,
    ).toBe(0);
  }
  for (const view of [gguf, ours, bf16]) await view.close();
});

test('a folder becomes one of another type, with its files', async () => {
  const source = await openHfCheckpoint(folderOf('tiny-llama'));
  const checkpoint = await plainCheckpointOf(source, 'F32');
  const out = join(folder, 'tiny-f32');
  const plan = planPlainCheckpoint(checkpoint, 'F32', 4_000_000);
  const written = await writePlainCheckpoint(out, checkpoint, plan, { threads: 2, maxShardBytes: 4_000_000 });
  expect(written).toMatchObject({ exact: { tensors: 38, weights: 4196608 }, rounded: { tensors: 0, weights: 0 } });
  expect(written.files.filter((name) => name.endsWith('.safetensors')).length).toBeGreaterThan(4);
  for (const name of ['tokenizer.json', 'tokenizer_config.json', 'chat_template.jinja', 'generation_config.json']) {
    expect(sha256(join(out, name)), name).toBe(sha256(join(folderOf('tiny-llama'), name)));
  }
  const ours = await openHfCheckpoint(out);
  expect(ours.config).toEqual({ ...source.config, dtype: 'float32', torch_dtype: 'float32' });
  for (const [key, tensor] of source.tensors) {
    expect(await decoded(ours.tensors.get(key)!), key).toEqual(await decoded(tensor));
  }
  await ours.close();
  await checkpoint.close();
});

describe('the command', () => {
  const gguf = ggufOf('llama3');
  const out = (name: string) => join(folder, `cli-${name}`);

  test('says what it wrote, as text and as JSON, and asks before it replaces', async () => {
    const text = await runCommand('convert', gguf, '--to', 'hf', '-o', out('text'));
    expect(text).toMatchObject({ code: 0 });
    expect(text.stdout).toContain('all values of 38 tensors exact');
    const again = await briefCommand('convert', gguf, '--to', 'hf', '-o', out('text'), '--json');
    expect(again.code).toBe(3);
    const json = await runCommand(
      ...['convert', gguf, '--to', 'hf', '-o', out('text'), '--json', '--force', '--type', 'f32'],
    );
    expect(json.code).toBe(0);
    expect(JSON.parse(json.stdout)).toMatchObject({
      type: 'F32',
      tensorCount: 38,
      rounded: { weights: 0 },
      resumedTensors: 0,
    });
  });

  test.each<[string, string[], number, RegExp]>([
    ['a quantized type', ['--type', 'Q4_K_M'], 2, /f32, f16, bf16 or auto/],
    ['a flag of quantizing', ['--pure'], 2, /--pure means nothing/],
    ["AWQ's scales", ['--awq-scales'], 2, /--awq-scales means nothing/],
    ['a size that is none', ['--max-shard-size', 'big'], 2, /'big' is no size/],
    ['rounding under --strict', ['--type', 'f16', '--strict'], 3, /cannot be written exactly as F16/],
  ])('refuses %s and leaves nothing', async (name, flags, code, text) => {
    const result = await briefCommand('convert', ggufOf('tiny-llama'), '--to', 'hf', '-o', out(name), ...flags);
    expect(result.code).toBe(code);
    expect(result.stderr).toMatch(text);
    expect([out(name), `${out(name)}.partial`, `${out(name)}.partial.journal`].some(existsSync)).toBe(false);
  });

  test('refuses packed weights without the settings that they were packed with', async () => {
    const unsaid = join(folder, 'unsaid');
    cpSync(join(import.meta.dirname, '../models/packed/gptq'), unsaid, { recursive: true });
    const { quantization_config: _, ...config } = JSON.parse(readFileSync(join(unsaid, 'config.json'), 'utf8'));
    rmSync(join(unsaid, 'config.json'));
    writeFileSync(join(unsaid, 'config.json'), JSON.stringify(config));
    const { code, stderr } = await briefCommand('convert', unsaid, '--to', 'hf', '-o', out('unsaid'));
    expect([code, stderr]).toEqual([1, expect.stringMatching(/qweight is I32.*no quantization_config/)]);
    expect(existsSync(out('unsaid'))).toBe(false);
  });

  test('shows a plan without writing', async () => {
    const result = await briefCommand(
      'convert',
      gguf,
      '--to',
      'hf',
      '-o',
      out('dry'),
      '--dry-run',
      '--max-shard-size',
      '100KB',
    );
    expect(result.code).toBe(0);
    expect(result.stdout).toMatch(/model\.layers\.3\.mlp\.down_proj\.weight +64x128 +BF16 +BF16/);
    expect(existsSync(out('dry'))).toBe(false);
  });

  test('leaves GGUF files alone without --to hf', async () => {
    const result = await briefCommand('convert', gguf);
    expect(result.code).toBe(2);
    expect(result.stderr).toContain('--to hf');
  });
});
