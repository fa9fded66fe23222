// What convert and quantize refuse, and that a refusal leaves nothing behind.
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TranscodePool } from '@quern/blocks';
import { openGgufModel } from '@quern/checkpoint';
import { conversionType, type Plan, planConversion, planTypes, type WriteOptions, writeModel } from '@quern/kquant';
import { openModel } from '@quern/models';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

const tinyLlama = join(import.meta.dirname, '../models/tiny-llama');
const tinyGguf = join(tinyLlama, 'expected/llama.cpp-bf16.gguf');

let folder: string;
let output: string;
let pool: TranscodePool;
beforeAll(async () => {
  pool = await TranscodePool.create({ threads: 2 });
});
afterAll(() => pool.close());
beforeEach(() => {
  if (folder) rmSync(folder, { recursive: true, force: true });
  folder = mkdtempSync(join(tmpdir(), 'quern-refusals-'));
  output = join(folder, 'out.gguf');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** tiny-llama with the BF16 bits of some weights replaced: HF tensor name → [row, column, bits]. */
function damaged(changes: Record<string, [row: number, col: number, bits: number][]>): string {
  const copy = join(folder, 'checkpoint');
  cpSync(tinyLlama, copy, { recursive: true, filter: (path) => !path.endsWith('expected') });
  const path = join(copy, 'model.safetensors');
  const bytes = readFileSync(path);
  const headerBytes = Number(bytes.readBigUInt64LE());
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + headerBytes));
  for (const [name, weights] of Object.entries(changes)) {
    const { shape, data_offsets } = header[name];
    for (const [row, col, bits] of weights) {
      bytes.writeUInt16LE(bits, 8 + headerBytes + data_offsets[0] + 2 * (row * shape[1] + col));
    }
  }
  writeFileSync(path, bytes);
  return copy;
}

async function convert(checkpoint: string, type: string, options: WriteOptions = {}): Promise<void> {
  const model = await openModel(checkpoint);
  try {
    const converted = planConversion(model, conversionType(type) ?? 'auto');
    const plan: Plan = conversionType(type) ? converted : planTypes(model, type, { converted });
    await writeModel(model, plan, output, { pool, ...options });
  } finally {
    await model.close();
  }
}

/** Names in the output folder that a writer could have made. */
const leftovers = () => readdirSync(folder).filter((name) => name.startsWith('out.gguf'));

describe('weights', () => {
  const nan = 0x7fc0;
  const infinity = 0xff80;
  const million = 0x4974; // 999424

  test.each(['auto', 'f32', 'Q8_0', 'Q4_K_M'])(
    'NaN and infinities are refused, naming tensor and row, as %s',
    async (type) => {
      const checkpoint = damaged({
        'model.layers.2.mlp.down_proj.weight': [
          [41, 7, nan],
          [200, 1, infinity],
        ],
      });
      await expect(convert(checkpoint, type)).rejects.toMatchObject({
        code: 'refused-non-finite',
        tensor: 'blk.2.ffn_down.weight',
        message: '2 weights are NaN or infinite, the first in row 41, column 7.',
      });
      expect(leftovers()).toEqual([]);
    },
  );

  test('they are written when asked for', async () => {
    const checkpoint = damaged({ 'model.layers.2.mlp.down_proj.weight': [[41, 7, nan]] });
    await convert(checkpoint, 'auto', { allowNonFinite: true });
    const model = await openGgufModel(output);
    const tensor = model.tensors.get('blk.2.ffn_down.weight')!;
    const row = new Uint8Array(tensor.rowBytes);
    await tensor.readRows(41, 1, row);
    expect(row[14]! | (row[15]! << 8)).toBe(nan);
    await model.close();
  });

  test('weights too large for F16 are refused, counted', async () => {
    const checkpoint = damaged({
      'model.layers.0.mlp.up_proj.weight': [
        [3, 0, million],
        [4, 0, million | 0x8000],
      ],
    });
    await expect(convert(checkpoint, 'f16')).rejects.toMatchObject({
      code: 'refused-f16-overflow',
      tensor: 'blk.0.ffn_up.weight',
      message: '2 weights are too large for F16.',
    });
    expect(leftovers()).toEqual([]);
    await convert(checkpoint, 'bf16');
  });

  test('or become infinite as in llama.cpp, when asked for', async () => {
    const checkpoint = damaged({ 'model.layers.0.mlp.up_proj.weight': [[3, 0, million | 0x8000]] });
    await convert(checkpoint, 'f16', { onOverflow: 'inf' });
    const model = await openGgufModel(output);
    const tensor = model.tensors.get('blk.0.ffn_up.weight')!;
    const row = new Uint8Array(tensor.rowBytes);
    await tensor.readRows(3, 1, row);
    expect(row[0]! | (row[1]! << 8)).toBe(0xfc00);
    await model.close();
  });

  test('a block whose F16 scale would overflow is refused too', async () => {
    const checkpoint = damaged({ 'model.layers.0.mlp.up_proj.weight': [[3, 0, 0x7149]] }); // about 1e30
    await expect(convert(checkpoint, 'Q8_0')).rejects.toMatchObject({ code: 'refused-f16-overflow' });
  });
});

describe('output', () => {
  test('an existing file needs force', async () => {
    writeFileSync(output, 'mine');
    await expect(convert(tinyLlama, 'auto')).rejects.toMatchObject({ code: 'refused-output-exists' });
    expect(readFileSync(output, 'utf8')).toBe('mine');
    await convert(tinyLlama, 'auto', { force: true });
    expect(readFileSync(output).subarray(0, 4).toString()).toBe('GGUF');
  });

  test('the input is never the output, not even with force', async () => {
    copyFileSync(tinyGguf, output);
    const model = await openGgufModel(output);
    await expect(writeModel(model, planTypes(model, 'Q8_0'), output, { pool, force: true })).rejects.toMatchObject({
      code: 'refused-output-is-input',
    });
    await model.close();
    expect(readFileSync(output).equals(readFileSync(tinyGguf))).toBe(true);
  });

  test('a folder that is not there is named', async () => {
    output = join(folder, 'missing', 'out.gguf');
    await expect(convert(tinyLlama, 'auto')).rejects.toMatchObject({ code: 'output-folder-missing', file: output });
  });

  test('an aborted run ends with the reason of the signal and keeps its partial file', async () => {
    const abort = new AbortController();
    const reason = new Error('stop');
    const onProgress = () => abort.abort(reason);
    await expect(convert(tinyLlama, 'Q4_K_M', { signal: abort.signal, onProgress })).rejects.toBe(reason);
    expect(existsSync(output)).toBe(false);
    expect(leftovers()).toEqual(['out.gguf.partial', 'out.gguf.partial.journal']);
  });
});

describe('plan', () => {
  test('strict refuses fallbacks before anything is written', async () => {
    const model = await openModel(join(import.meta.dirname, '../models/arch/qwen3'));
    const plan = planTypes(model, 'Q4_K_M', { converted: planConversion(model, 'auto') });
    expect(plan.totals.fallbacks).toBeGreaterThan(10);
    await expect(writeModel(model, plan, output, { pool, strict: true })).rejects.toMatchObject({
      code: 'refused-fallback',
      message: expect.stringContaining(`${plan.totals.fallbacks} of ${plan.tensors.length} tensors`),
    });
    expect(leftovers()).toEqual([]);
    await model.close();
  });

  test('a quantized input is not quantized again unless asked', async () => {
    await convert(tinyLlama, 'Q8_0');
    const model = await openGgufModel(output);
    expect(() => planTypes(model, 'Q4_K_M')).toThrow(
      expect.objectContaining({ code: 'refused-requantize', tensor: 'token_embd.weight' }),
    );
    expect(planTypes(model, 'Q4_K_M', { allowRequantize: true }).totals.bytesOut).toBeGreaterThan(0);
    expect(planTypes(model, 'Q8_0').totals.fallbacks).toBe(0);
    await model.close();
  });
});
