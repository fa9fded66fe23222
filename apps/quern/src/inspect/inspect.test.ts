// Files that quern does not run, files that are no models, and files that wish the terminal ill. GGUF files are written by
// hand here, from the specification (gguf.md), so that reader and writer cannot agree on a mistake.
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type LoopbackHub, startLoopbackHub } from '../../../../test/loopback-hub.ts';
import { reportOf } from './report.ts';
import { openSubject } from './subject.ts';
import { summaryText } from './summary.ts';
import { metadataTable, tensorTable, typeTable } from './tables.ts';

const models = join(import.meta.dirname, '../../../../test/models');
const signal = new AbortController().signal;
const environment = { ...process.env };

let dir: string;
let hub: LoopbackHub | undefined;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'quern-inspect-'));
});
afterEach(async () => {
  await hub?.close();
  hub = undefined;
  process.env = { ...environment };
  await rm(dir, { recursive: true });
});

/** Everything that the command prints, and what it prints as JSON. */
async function inspect(ref: string) {
  const subject = await openSubject(ref, signal);
  try {
    const report = JSON.parse(
      JSON.stringify(await reportOf(ref, subject), (_, v) => (typeof v === 'bigint' ? Number(v) : v)),
    );
    const { description, metadata, tensors } = subject;
    const tables = [typeTable(description), metadataTable(metadata, false), tensorTable(tensors, false)];
    return { report, text: [await summaryText(ref, subject), ...tables].join('\n') };
  } finally {
    await subject.close();
  }
}

// gguf_metadata_value_type and ggml_type.
const [uint32, text, list] = [4, 8, 9];
const [F32, Q4_K] = [0, 12];
const u32 = (value: number) => Buffer.from(Uint32Array.of(value).buffer);
const u64 = (value: number) => Buffer.from(BigUint64Array.of(BigInt(value)).buffer);
const string = (value: string) => Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)]);
type Value = string | number | readonly number[];
const value = (of: Value): Buffer<ArrayBuffer> => {
  if (typeof of === 'string') return Buffer.concat([u32(text), string(of)]);
  if (typeof of === 'number') return Buffer.concat([u32(uint32), u32(of)]);
  return Buffer.concat([u32(list), u32(uint32), u64(of.length), ...of.map(u32)]);
};
type Tensor = readonly [name: string, type: number, ne: readonly number[], bytes: number];

function ggufFile(pairs: Readonly<Record<string, Value>>, tensors: readonly Tensor[]): Buffer<ArrayBuffer> {
  const parts = [Buffer.from('GGUF'), u32(3), u64(tensors.length), u64(Object.keys(pairs).length)];
  for (const [key, of] of Object.entries(pairs)) parts.push(string(key), value(of));
  let offset = 0;
  const align = (bytes: number) => Math.ceil(bytes / 32) * 32;
  for (const [name, type, ne, bytes] of tensors) {
    parts.push(string(name), u32(ne.length), ...ne.map(u64), u32(type), u64(offset));
    offset = align(offset + bytes);
  }
  const header = Buffer.concat(parts);
  if (tensors.length === 0) return header;
  return Buffer.concat([header, Buffer.alloc(align(header.length) - header.length + offset)]);
}

const giraffe = {
  'general.architecture': 'giraffe',
  'general.name': 'Long Neck',
  'general.license': 'cc0-1.0',
  'general.file_type': 15,
  'giraffe.block_count': 2,
  'giraffe.attention.head_count': [4, 0],
};
const neck: Tensor = ['neck.weight', Q4_K, [256, 3], 3 * 144];
const put = async (name: string, bytes: Uint8Array | string) => {
  await writeFile(join(dir, name), bytes);
  return join(dir, name);
};

describe('a GGUF file', () => {
  it('of an architecture that nobody knows', async () => {
    const { report, text } = await inspect(await put('g.gguf', ggufFile(giraffe, [neck, ['spots', F32, [5], 20]])));
    expect(report).toMatchObject({
      container: 'gguf',
      kind: 'model',
      architecture: 'giraffe',
      name: 'Long Neck',
      license: 'cc0-1.0',
      fileType: 'Q4_K_M',
      parameters: 773,
      tensorCount: 2,
      dataBytes: 452,
      bitsPerWeight: (8 * 452) / 773,
      hyperparameters: { blockCount: 2, headCount: [4, 0] },
      typeHistogram: {
        Q4_K: { tensors: 1, parameters: 768, bytes: 432 },
        F32: { tensors: 1, parameters: 5, bytes: 20 },
      },
      tensors: [
        { name: 'neck.weight', type: 'Q4_K', shape: [3, 256], bytes: 432 },
        { name: 'spots', type: 'F32', shape: [5], bytes: 20 },
      ],
      metadata: giraffe,
    });
    expect(report.fileBytes).toBe((await readFile(join(dir, 'g.gguf'))).length);
    for (const line of [
      /^licence +cc0-1\.0$/m,
      /^file type +Q4_K_M$/m,
      /0 to 4 \(by layer\) heads/,
      /^neck\.weight +Q4_K +\[3, 256\] +432 B$/m,
    ])
      expect(text).toMatch(line);
    expect(text).toMatch(/cannot run it: GGUF architecture "giraffe" is not supported/);
  });

  it.each<[string, Record<string, Value>, readonly Tensor[], string]>([
    ['an importance matrix', { 'general.type': 'imatrix' }, [['a.in_sum2', F32, [4], 16]], 'imatrix'],
    [
      'an adapter',
      { 'general.type': 'adapter', 'general.architecture': 'llama' },
      [['a.lora_a', F32, [4], 16]],
      'adapter',
    ],
    ['a projector', { 'general.type': 'mmproj', 'general.architecture': 'clip' }, [['v.a', F32, [4], 16]], 'mmproj'],
    ['a projector of old', { 'general.architecture': 'clip' }, [['v.a', F32, [4], 16]], 'mmproj'],
    ['nothing but metadata', { 'general.architecture': 'llama' }, [], 'metadata only'],
    ['nothing at all', {}, [], 'metadata only'],
  ])('that is %s', async (_, pairs, tensors, kind) => {
    const { report, text } = await inspect(await put('x.gguf', ggufFile(pairs, tensors)));
    expect(report).toMatchObject({ kind, tensorCount: tensors.length, notes: [] });
    expect(text).toMatch(new RegExp(`^kind +${kind}$`, 'm'));
  });

  it('with as many layers as a real one shows those that are alike on one line', async () => {
    const layers = Array.from(
      { length: 80 },
      (_, i): Tensor => [`blk.${i}.w`, F32, [i === 7 ? 2 : 1], i === 7 ? 8 : 4],
    );
    const { report, text } = await inspect(await put('l.gguf', ggufFile(giraffe, [neck, ...layers])));
    expect(report.tensors).toHaveLength(81);
    expect(text).toMatch(/^blk\.\{0-6,8-79\}\.w +F32 +\[1\] +316 B$/m);
    expect(text).toMatch(/^blk\.7\.w +F32 +\[2\] +8 B$/m);
  });

  it('in parts is one model', async () => {
    const split = (no: number) => ({ 'split.no': no, 'split.count': 2, 'split.tensors.count': 2 });
    await put('m-00001-of-00002.gguf', ggufFile({ ...giraffe, ...split(0) }, [neck]));
    await put('m-00002-of-00002.gguf', ggufFile(split(1), [['spots', F32, [5], 20]]));
    for (const ref of [dir, join(dir, 'm-00002-of-00002.gguf')]) {
      const { report, text } = await inspect(ref);
      // gguf-split writes a uint16 and an int32 there; any integer is read.
      expect(report).toMatchObject({ tensorCount: 2, parameters: 773 });
      expect(report.files).toHaveLength(2);
      expect(text).toMatch(/in 2 files/);
    }
  });

  it('cannot move the cursor, rename the window or turn the text around', async () => {
    const evil = '\u001b]0;owned\u0007\u001b[2J\u009b31m\u202e\r\n';
    const pairs = {
      'general.architecture': `giraffe${evil}`,
      'general.name': evil,
      'general.license': evil,
      [`a${evil}`]: evil,
    };
    const { text } = await inspect(await put('e.gguf', ggufFile(pairs, [[`t${evil}`, F32, [1], 4]])));
    for (const char of ['\u001b', '\u0007', '\u009b', '\u202e', '\r']) expect(text).not.toContain(char);
    expect(text).toContain('\\x1b]0;owned\\x07');
  });

  it('that claims too much, or is cut, is refused by name', async () => {
    const whole = ggufFile(giraffe, [neck]);
    const huge = Buffer.concat([Buffer.from('GGUF'), u32(3), u64(2 ** 52), u64(0)]);
    await expect(inspect(await put('h.gguf', huge))).rejects.toMatchObject({ code: 'gguf-bad-count' });
    for (const bytes of [30, 100, whole.length - 200])
      await expect(inspect(await put('c.gguf', whole.subarray(0, bytes)))).rejects.toMatchObject({
        code: expect.stringMatching(/^gguf-/),
      });
    await expect(inspect(await put('n.gguf', 'no such thing'))).rejects.toMatchObject({
      code: 'contents-not-recognized',
    });
    await expect(inspect(await put('z.gguf', ''))).rejects.toMatchObject({ code: 'contents-not-recognized' });
  });
});

describe('safetensors', () => {
  const header = (tensors: object) => {
    const json = Buffer.from(JSON.stringify(tensors));
    return Buffer.concat([u64(json.length), json, Buffer.alloc(8)]);
  };
  const adapter = header({ 'base_model.model.q.lora_A.weight': { dtype: 'F32', shape: [2], data_offsets: [0, 8] } });

  it('of an adapter', async () => {
    await put('adapter_config.json', '{"peft_type": "LORA", "base_model_name_or_path": "some/base", "r": 8}');
    await put('adapter_model.safetensors', adapter);
    const { report } = await inspect(dir);
    expect(report).toMatchObject({
      container: 'safetensors',
      kind: 'adapter',
      base: 'some/base',
      parameters: 2,
      config: { r: 8 },
    });
    expect((await inspect(join(dir, 'adapter_model.safetensors'))).report).toMatchObject({
      kind: 'adapter',
      parameters: 2,
    });
  });

  it('of a class that nobody knows', async () => {
    await put(
      'config.json',
      '{"architectures": ["GiraffeForCausalLM"], "num_hidden_layers": 3, "text_config": {"hidden_size": 5}}',
    );
    await put('model.safetensors', header({ neck: { dtype: 'F16', shape: [2, 2], data_offsets: [0, 8] } }));
    const { report, text } = await inspect(dir);
    expect(report).toMatchObject({
      architecture: 'GiraffeForCausalLM',
      hyperparameters: { blockCount: 3, embeddingLength: 5 },
      bitsPerWeight: 16,
      tensors: [{ name: 'neck', type: 'F16', shape: [2, 2], bytes: 8 }],
    });
    expect(text).toMatch(/"GiraffeForCausalLM" is not supported/);
  });
});

it('a model that quern runs is told with its cache, from either container', async () => {
  for (const path of ['tiny-llama', 'tiny-llama/expected/llama.cpp-bf16.gguf']) {
    const { report, text } = await inspect(join(models, path));
    expect(report).toMatchObject({ fileType: 'BF16', kvBytesPerToken: { f16: 2 * 4 * 2 * 2 * 64 } });
    expect(text).toMatch(/^KV cache +2048 bytes per token/m);
  }
});

describe('far away', () => {
  const start = async (contents: Record<string, Uint8Array | string>) => {
    hub = await startLoopbackHub({ repositories: { 'o/m': contents }, files: contents, tags: ['license:mit'] });
    Object.assign(process.env, { HF_ENDPOINT: hub.endpoint, HF_HOME: dir, HF_HUB_OFFLINE: '0' });
    return hub.endpoint;
  };
  const gguf = () => readFile(join(models, 'tiny-llama/expected/llama.cpp-bf16.gguf'));

  it('headers are read by range, and nothing is kept', async () => {
    const bytes = await gguf();
    const endpoint = await start({ 'm-BF16.gguf': bytes, 'mmproj-m.gguf': ggufFile({}, []) });
    const local = await inspect(join(models, 'tiny-llama/expected/llama.cpp-bf16.gguf'));
    for (const ref of ['o/m', 'o/m:bf16', `${endpoint}/o/m/blob/main/m-BF16.gguf`, `${endpoint}/files/m-BF16.gguf`]) {
      const { report, text } = await inspect(ref);
      expect(report.tensors).toEqual(local.report.tensors);
      expect(report.metadata).toEqual(local.report.metadata);
      expect(report.fileBytes).toBe(bytes.length);
      expect(report.bytesRead).toBeLessThan(bytes.length / 4);
      expect(text).toMatch(/^read +\d+ KiB of [\d.]+ MiB$/m);
    }
    expect((await inspect('o/m')).report.license).toBe('mit');
    expect(await readdir(dir)).toEqual([]);
  });

  it('of a checkpoint only headers and config.json are read', async () => {
    const weights = await readFile(join(models, 'tiny-llama/model.safetensors'));
    await start({
      'config.json': await readFile(join(models, 'tiny-llama/config.json')),
      'tokenizer.json': '{}',
      'model.safetensors': weights,
    });
    const { report } = await inspect('o/m');
    expect(report).toMatchObject({ container: 'safetensors', tensorCount: 38, architecture: 'LlamaForCausalLM' });
    expect(report.bytesRead).toBeLessThan(10_000);
    expect(hub!.asked.filter((line) => /tokenizer/.test(line))).toEqual([]);
  });

  it('of a split file all headers are read', async () => {
    const split = (no: number) => ({ 'split.no': no, 'split.count': 2, 'split.tensors.count': 2 });
    const endpoint = await start({
      'Q4_K/m-00001-of-00002.gguf': ggufFile({ ...giraffe, ...split(0) }, [neck]),
      'Q4_K/m-00002-of-00002.gguf': ggufFile(split(1), [['spots', F32, [5], 20]]),
    });
    for (const ref of ['o/m:q4_k', 'o/m/Q4_K/m-00002-of-00002.gguf', `${endpoint}/files/Q4_K/m-00001-of-00002.gguf`])
      expect((await inspect(ref)).report).toMatchObject({ tensorCount: 2, parameters: 773 });
  });

  it('what does not exist here is not asked for silently', async () => {
    await start({});
    const error = await inspect('no/such').catch((caught) => caught);
    expect(error.describe()).toMatch(/no such file or folder.*As a hub id/);
    await cp(join(models, 'tiny-llama/config.json'), join(dir, 'config.json'));
    await expect(inspect(dir)).rejects.toMatchObject({ code: 'checkpoint-no-weights' });
  });
});
