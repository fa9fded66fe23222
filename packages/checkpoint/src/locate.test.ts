// Folders and files as people have them, and a real server on the loopback that speaks the hub's endpoints.
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { locateCheckpoint } from './locate.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'quern-locate-'));
});
afterEach(() => rm(dir, { recursive: true }));

const folder = async (...names: string[]) => {
  for (const name of names) await writeFile(join(dir, name), name.endsWith('.gguf') ? 'GGUF' : '{}');
  return dir;
};

describe('a path', () => {
  it.each<[string, string[], string, 'gguf' | 'hf']>([
    ['a checkpoint', ['config.json', 'model.safetensors'], '', 'hf'],
    [
      'a sharded checkpoint',
      ['config.json', 'model.safetensors.index.json', 'model-00001-of-00002.safetensors'],
      '',
      'hf',
    ],
    ['a folder with one GGUF file', ['tiny.gguf', 'README.md'], 'tiny.gguf', 'gguf'],
    ['GGUF beside a config.json without weights', ['tiny.gguf', 'config.json'], 'tiny.gguf', 'gguf'],
    [
      'splits',
      ['t-00001-of-00003.gguf', 't-00002-of-00003.gguf', 't-00003-of-00003.gguf'],
      't-00001-of-00003.gguf',
      'gguf',
    ],
    ['safetensors beside GGUF', ['config.json', 'model.safetensors', 'tiny.gguf'], '', 'hf'],
    ['weights of torch.save', ['config.json', 'pytorch_model.bin', 'training_args.bin'], '', 'hf'],
    ['shards of torch.save', ['config.json', 'pytorch_model.bin.index.json'], '', 'hf'],
    ['weights of one other name', ['config.json', 'gptq_model-4bit-128g.safetensors'], '', 'hf'],
    ['GGUF beside weights of another name', ['config.json', 'other.safetensors', 'tiny.gguf'], 'tiny.gguf', 'gguf'],
    ['torch.save beside other names', ['config.json', 'pytorch_model.bin', 'a.safetensors', 'b.safetensors'], '', 'hf'],
    ['GGUF beside weights of torch.save', ['config.json', 'pytorch_model.bin', 'tiny.gguf'], 'tiny.gguf', 'gguf'],
  ])('to %s', async (_, names, within, kind) => {
    const path = await folder(...names);
    expect(await locateCheckpoint(path)).toEqual({ path: within ? join(path, within) : path, kind });
  });

  it('to a GGUF file is known by its first bytes', async () => {
    await writeFile(join(dir, 'blob'), 'GGUF and more');
    expect(await locateCheckpoint(join(dir, 'blob'))).toEqual({ path: join(dir, 'blob'), kind: 'gguf' });
  });

  it.each<[string, string[], string, RegExp]>([
    ['only TensorFlow weights', ['config.json', 'tf_model.h5'], 'checkpoint-unsupported-weights', /tf_model\.h5/],
    [
      'only the original format',
      ['params.json', 'consolidated.00.pth'],
      'checkpoint-unsupported-weights',
      /consolidated/,
    ],
    ['several GGUF models', ['a.gguf', 'b.gguf'], 'checkpoint-ambiguous', /a\.gguf +4 B\n.*b\.gguf +4 B/],
    ['nothing of use', ['README.md'], 'checkpoint-no-weights', /neither/],
  ])('to a folder with %s is refused', async (_, names, code, text) => {
    const error = await locateCheckpoint(await folder(...names)).catch((caught) => caught);
    expect(error).toMatchObject({ code, file: dir });
    expect(error.describe()).toMatch(text);
  });

  it('to no model is refused', async () => {
    await folder('config.json');
    await expect(locateCheckpoint(join(dir, 'config.json'))).rejects.toMatchObject({
      code: 'checkpoint-not-recognized',
    });
    for (const path of [join(dir, 'missing'), './missing/model', '../x/y', 'models/tiny.gguf', 'a/folder/deep']) {
      await expect(locateCheckpoint(path)).rejects.toMatchObject({ code: 'checkpoint-not-found', file: path });
    }
  });
});

describe('a hub id', () => {
  const commit = 'c0ffee'.padEnd(40, '0');
  let server: Server;
  let endpoint: string;
  let files: Record<string, string>;
  let asked: string[];
  beforeEach(async () => {
    asked = [];
    server = createServer((request, response) => {
      const path = decodeURIComponent(new URL(request.url ?? '/', endpoint).pathname);
      asked.push(path);
      const json = (value: unknown) =>
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
      const name = path.split(`/resolve/${commit}/`)[1];
      const body = name === undefined ? undefined : files[name];
      if (path.startsWith('/api/models/owner/tiny/revision/')) json({ _id: '1', id: 'owner/tiny', sha: commit });
      else if (path === `/api/models/owner/tiny/tree/${commit}`) json(Object.entries(files).map(treeEntry));
      else if (body === undefined) response.writeHead(404).end();
      else response.writeHead(200, { 'content-length': Buffer.byteLength(body) }).end(body);
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise<void>((done) => server.close(() => done()));
  });
  const treeEntry = ([path, body]: [string, string]) => ({
    type: 'file',
    path,
    size: Buffer.byteLength(body),
    oid: createHash('sha1')
      .update(`blob ${Buffer.byteLength(body)}\0${body}`)
      .digest('hex'),
  });
  const indexOf = (...names: string[]) =>
    JSON.stringify({ weight_map: Object.fromEntries(names.map((name, i) => [`tensor${i}`, name])) });
  const locate = (ref: string) => locateCheckpoint(ref, { endpoint, cacheDir: dir, offline: false });

  it('is fetched: config, tokenizer, safetensors and the model card, nothing else', async () => {
    files = {
      'config.json': '{}',
      'tokenizer.json': '{}',
      'model-00001-of-00001.safetensors': 'weights',
      'rest.safetensors': 'weights that the index names, whatever they are called',
      'model-00001-of-00002.safetensors': 'weights that it does not name',
      'model.safetensors.index.json': indexOf('model-00001-of-00001.safetensors', 'rest.safetensors'),
      'pytorch_model.bin': 'other weights',
      'consolidated.safetensors': 'the same weights again',
      'onnx/model.safetensors': 'weights of something else',
      'additional_chat_templates/tool_use.jinja': 'template',
      'README.md': 'words',
      LICENSE: 'more words',
    };
    const { path, kind } = await locate('owner/tiny@v1');
    expect(kind).toBe('hf');
    expect((await readdir(path)).sort()).toEqual(
      [
        ...['additional_chat_templates', 'config.json', 'model-00001-of-00001.safetensors'],
        ...['model.safetensors.index.json', 'rest.safetensors'],
        ...['tokenizer.json', 'README.md'],
      ].sort(),
    );
    expect(asked[0]).toContain('/revision/v1');
  });

  it('is fetched with the weights of torch.save where there are no others', async () => {
    files = {
      'config.json': '{}',
      'pytorch_model-00001-of-00001.bin': 'weights',
      'mtp.bin': 'weights that the index names',
      'pytorch_model.bin.index.json': indexOf('pytorch_model-00001-of-00001.bin', 'mtp.bin'),
      'training_args.bin': 'a pickle of something else',
    };
    const { path, kind } = await locate('owner/tiny');
    expect(kind).toBe('hf');
    expect((await readdir(path)).sort()).toEqual([
      'config.json',
      'mtp.bin',
      'pytorch_model-00001-of-00001.bin',
      'pytorch_model.bin.index.json',
    ]);
  });

  it('is fetched with weights of another name where there is one', async () => {
    files = {
      'config.json': '{}',
      'quantize_config.json': '{}',
      'gptq_model-4bit-128g.safetensors': 'weights',
      'adapter_model.safetensors': 'weights of something else',
    };
    const { path, kind } = await locate('owner/tiny');
    expect(kind).toBe('hf');
    expect((await readdir(path)).sort()).toEqual([
      'config.json',
      'gptq_model-4bit-128g.safetensors',
      'quantize_config.json',
    ]);
  });

  it('is refused before weights are fetched where the index names what is not there', async () => {
    const present = 'model-00001-of-00002.safetensors';
    files = {
      'config.json': '{}',
      'model.safetensors.index.json': indexOf(present, 'mtp.safetensors'),
      [present]: 'weights',
    };
    const error = await locate('owner/tiny').catch((caught) => caught);
    expect(error).toMatchObject({ code: 'checkpoint-shard-missing', file: 'owner/tiny' });
    expect(error.message).toMatch(/mtp\.safetensors/);
    expect(asked.filter((path) => path.endsWith('.safetensors'))).toEqual([]);
  });

  it('is fetched whole where shards have no index, and refused where one is missing', async () => {
    const [first, second] = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'] as const;
    files = { 'config.json': '{}', [first]: 'weights', [second]: 'weights' };
    expect((await readdir((await locate('owner/tiny')).path)).sort()).toEqual(['config.json', first, second]);
    files = { 'config.json': '{}', [second]: 'weights' };
    await expect(locate('owner/tiny')).rejects.toMatchObject({ code: 'checkpoint-shard-missing', file: 'owner/tiny' });
  });

  it('that holds only an adapter is told with its base', async () => {
    files = {
      'adapter_config.json': '{"peft_type": "LORA", "base_model_name_or_path": "some/base"}',
      'adapter_model.safetensors': 'weights of an adapter',
      'tokenizer.json': '{}',
    };
    const error = await locate('owner/tiny').catch((caught) => caught);
    expect(error).toMatchObject({ code: 'checkpoint-adapter-only', file: 'owner/tiny' });
    expect(error.message).toMatch(/some\/base/);
    expect(asked.filter((path) => path.endsWith('.safetensors'))).toEqual([]);
  });

  it('is refused before anything is fetched where weights have several names', async () => {
    files = { 'config.json': '{}', 'a.safetensors': 'weights', 'b.safetensors': 'weights' };
    await expect(locate('owner/tiny')).rejects.toMatchObject({ code: 'checkpoint-ambiguous', file: 'owner/tiny' });
    expect(asked.filter((path) => path.endsWith('.safetensors'))).toEqual([]);
  });

  it.each<[string, string, RegExp]>([['TensorFlow weights', 'tf_model.h5', /tf_model\.h5/]])(
    'with only %s is refused, and they are not fetched',
    async (_, name, text) => {
      files = { 'config.json': '{}', [name]: 'weights' };
      const error = await locate('owner/tiny').catch((caught) => caught);
      expect(error.code).toBe('checkpoint-unsupported-weights');
      expect(error.describe()).toMatch(text);
      expect(asked.filter((path) => path.endsWith(name))).toEqual([]);
    },
  );

  it('gives way to a folder of the same name', async () => {
    const here = join(dir, 'owner', 'tiny');
    await mkdir(here, { recursive: true });
    await writeFile(join(here, 'model.safetensors'), '');
    const cwd = process.cwd();
    process.chdir(dir);
    try {
      expect(await locateCheckpoint('owner/tiny')).toEqual({ path: 'owner/tiny', kind: 'hf' });
    } finally {
      process.chdir(cwd);
    }
  });
});
