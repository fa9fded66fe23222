// Models that Ollama's client creates: of another one, of a file that was sent, with adapters, quantized; they survive the server. What they
// say is held to the same conversation written out for the model that they were made from.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { cp, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openGgufModel } from '@quern/checkpoint';
import { conversionType, planConversion, writeModel } from '@quern/kquant';
import { adapterView, openModel, openPeftAdapter } from '@quern/models';
import { ManyModels, modelShelf, type RunningServer, readSources, serveModels } from '@quern/serve-command/server';
import { Ollama } from 'ollama';
import { OpenAI } from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { knownTensor, writeAdapterFolder } from '../adapter-folder.ts';
import { runCommand } from './cli-fixture.ts';
import { startTestServer, tinyLlama } from './serve-fixture.ts';

const folder = mkdtempSync(join(tmpdir(), 'quern-create-'));
const cache = join(folder, 'hub');
const blobs = join(cache, 'quern--created/blobs');
const models = join(folder, 'models');
const gguf = readFileSync(`${tinyLlama}/expected/llama.cpp-bf16.gguf`);
const digestOf = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const digest = digestOf(gguf);
let server: RunningServer;
let client: Ollama;

/** As `quern serve --models-dir models --allow-changes` is started. */
async function start(flags: object = {}, named: string[] = []): Promise<void> {
  const given = {
    modelsDir: [models],
    allowChanges: true,
    parallel: '2',
    rng: 'quern',
    threads: '1',
    engineTimeout: '600',
    ...flags,
  };
  const sources = await readSources({ models: named, flags: given as never, modelsAtOnce: 4, locate: {} });
  const options = { maxLoaded: 4, maxBytes: 2 ** 32, keepMs: -1, strict: true };
  const many = new ManyModels(sources.sources, options, sources.find);
  const shelf = modelShelf(many, sources.sourceNamed, sources.created);
  // A file that is sent is larger than a body may be.
  server = await serveModels(many, { hosts: ['127.0.0.1'], port: 0, maxRequests: 16, maxBodyBytes: 2 ** 20, shelf });
  client = new Ollama({ host: server.url });
}
beforeAll(async () => {
  mkdirSync(models);
  process.env.HF_HUB_CACHE = cache;
  await cp(`${tinyLlama}/expected/llama.cpp-bf16.gguf`, join(models, 'tiny.gguf'));
  await start();
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

const send = (name: string, body: string | Uint8Array): Promise<Response> =>
  fetch(`${server.url}/api/blobs/${name}`, { method: 'POST', body: body as BodyInit });
const sent = (): string[] => {
  try {
    return readdirSync(blobs).sort();
  } catch {
    return [];
  }
};
const create = (body: object): Promise<Response> =>
  fetch(`${server.url}/api/create`, { method: 'POST', body: JSON.stringify({ stream: false, ...body }) });
const refusal = async (body: object): Promise<object> => {
  const response = await create(body);
  return { status: response.status, ...((await response.json()) as object) };
};
const names = async (): Promise<string[]> => (await client.list()).models.map(({ name }) => name).sort();
const greedy = { temperature: 0, repeat_penalty: 1, num_predict: 12 };
const hello = { role: 'user', content: 'Hello, who are you?' };

describe('a file that is sent', () => {
  it('is there once its hash is right, however large it is', async () => {
    expect((await fetch(`${server.url}/api/blobs/${digest}`, { method: 'HEAD' })).status).toBe(404);
    expect((await send(digest, gguf)).status).toBe(201);
    expect((await fetch(`${server.url}/api/blobs/${digest}`, { method: 'HEAD' })).status).toBe(200);
    expect((await send(digest, gguf)).status).toBe(200);
    expect(readFileSync(join(blobs, digest.replace(':', '-'))).equals(gguf)).toBe(true);
  });

  it.each([
    ['sha256:..%2f..%2f..%2fetc%2fpasswd', 400],
    ['sha256:%2e%2e%2f%2e%2e%2fx', 400],
    ['sha256-abc', 400],
    [`md5:${'0'.repeat(32)}`, 400],
    [`sha256:${'0'.repeat(64)}`, 400],
  ])('is refused by the name %s, and leaves nothing', async (name, status) => {
    const before = sent();
    const response = await send(name, 'not what was told');
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: expect.stringMatching(/digest/), code: /digest_|digest-/ });
    expect(sent()).toEqual(before);
  });

  it('has to fit on the disk, which is asked first', async () => {
    const before = sent();
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    const path = `/api/blobs/sha256:${'1'.repeat(64)}`;
    socket.write(`POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: ${2 ** 52}\r\n\r\nGGUF`);
    const answer = await new Promise<string>((resolve) => socket.once('data', (data) => resolve(String(data))));
    socket.destroy();
    expect(answer).toMatch(/^HTTP\/1\.1 507 /);
    expect(answer).toMatch(/disk_full/);
    expect(sent()).toEqual(before);
  });

  it('is for servers that may change alone', async () => {
    const fixed = await startTestServer();
    for (const method of ['HEAD', 'POST'])
      expect((await fetch(`${fixed.url}/api/blobs/${digest}`, { method })).status).toBe(403);
    const told = await (await fixed.post('/api/create', { model: 'a', from: 'b' })).json();
    expect(told).toMatchObject({ code: 'changes_not_allowed', error: expect.stringMatching(/quern create/) });
    await fixed.close();
  });

  it('of a client that goes away leaves nothing, and the next is answered', async () => {
    const before = sent();
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    const path = `/api/blobs/sha256:${'2'.repeat(64)}`;
    socket.write(`POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 1000000\r\n\r\n${'x'.repeat(1000)}`);
    await expect.poll(() => sent().length).toBe(before.length + 1);
    socket.destroy();
    await expect.poll(sent).toEqual(before);
    expect((await fetch(`${server.url}/api/blobs/${digest}`, { method: 'HEAD' })).status).toBe(200);
  });
});

const disk = join(folder, 'disk');
mkdirSync(disk);
const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk]);
if (status !== 0) console.warn(`Skipping the full disk: ${String(stderr).trim()}`);

describe.skipIf(status !== 0)('a disk that fills up', () => {
  afterAll(() => spawnSync('umount', [disk]));

  it('is told of, keeps nothing of the file, and the next is taken in', async () => {
    await server.close();
    process.env.HF_HUB_CACHE = disk;
    await start();
    // In pieces: nobody says before how much will come.
    const stream = new ReadableStream({
      start(controller) {
        controller.enqueue(gguf);
        controller.close();
      },
    });
    const init = { method: 'POST', body: stream, duplex: 'half' } as RequestInit;
    const response = await fetch(`${server.url}/api/blobs/${digest}`, init);
    expect([response.status, await response.json()]).toEqual([507, expect.objectContaining({ code: 'disk_full' })]);
    expect(readdirSync(join(disk, 'quern--created/blobs'))).toEqual([]);
    const small = Buffer.from('small');
    expect((await send(digestOf(small), small)).status).toBe(201);
    await server.close();
    process.env.HF_HUB_CACHE = cache;
    await start();
  });
});

describe('a model of another one', () => {
  const system = 'You are a pirate.';
  const messages = [
    { role: 'user', content: 'Is it raining?' },
    { role: 'assistant', content: 'Aye.' },
  ];

  it('is told of while it is made', async () => {
    const states: string[] = [];
    const asked = {
      ...{ model: 'pirate', from: 'tiny', system, messages, license: ['MIT', 'and more'] },
      parameters: { ...greedy, stop: ['#'] },
    };
    for await (const { status } of await client.create({ ...asked, stream: true })) states.push(status);
    expect(states[0]).toBe('reading model metadata');
    expect(states.slice(-2)).toEqual(['writing manifest', 'success']);
    expect(await names()).toEqual(['pirate', 'tiny']);
  });

  it('says what the other says to the same written out, on every API', async () => {
    const written = [{ role: 'system', content: system }, ...messages, hello];
    const base = await client.chat({ model: 'tiny', messages: written, options: greedy });
    const own = await client.chat({ model: 'pirate:latest', messages: [hello] });
    expect(own.message).toEqual(base.message);
    expect(own).toMatchObject({ model: 'pirate', prompt_eval_count: base.prompt_eval_count, eval_count: 12 });
    const generated = await client.generate({ model: 'pirate', prompt: hello.content });
    expect(generated.response).toBe(base.message.content);
    const openai = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'none' });
    const { choices, usage } = await openai.chat.completions.create({ model: 'pirate', messages: [hello] as never });
    expect(choices[0]!.message.content).toBe(base.message.content);
    expect(usage!.prompt_tokens).toBe(base.prompt_eval_count);
    expect((await openai.models.list()).data.map(({ id }) => id).sort()).toEqual(['pirate', 'tiny']);
  });

  it('gives way to what a request says', async () => {
    const other = { role: 'system', content: 'You are a poet.' };
    const own = await client.chat({ model: 'pirate', messages: [other, hello], options: { num_predict: 5 } });
    const base = await client.chat({
      model: 'tiny',
      messages: [other, ...messages, hello],
      options: { ...greedy, num_predict: 5 },
    });
    expect(own.message).toEqual(base.message);
    expect(own.eval_count).toBe(5);
    // Ends where its own stop would, or where the request's does.
    const { response: text } = await client.generate({ model: 'tiny', raw: true, prompt: 'In the', options: greedy });
    const word = text!.trim().split(/\s+/)[1]!;
    await client.create({ model: 'stops', from: 'tiny', parameters: { ...greedy, stop: word } });
    const raw = { model: 'stops', raw: true, prompt: 'In the' };
    expect((await client.generate(raw)).response).toBe(text!.slice(0, text!.indexOf(word)));
    expect((await client.generate({ ...raw, options: { stop: ['\u0000'] } })).response).toBe(text);
    await client.delete({ model: 'stops' });
  });

  it('is shown, as what it is and as a Modelfile', async () => {
    const shown = await client.show({ model: 'pirate' });
    expect(shown).toMatchObject({ system, messages, license: 'MIT\nand more', details: { parent_model: 'tiny' } });
    expect(shown.parameters.split('\n').sort()).toEqual(
      ['num_predict 12', 'repeat_penalty 1', 'stop "#"', 'temperature 0'].sort(),
    );
    expect(shown.modelfile).toContain(`\nFROM ${join(models, 'tiny.gguf')}\n`);
    expect(shown.modelfile).toMatch(/^SYSTEM """You are a pirate\."""$/m);
    expect(shown.modelfile).toMatch(/^MESSAGE assistant """Aye\."""$/m);
    expect(shown.template).toBe((await client.show({ model: 'tiny' })).template);
  });

  it('is what the last one is made from, with what that does not say anew', async () => {
    await client.create({ model: 'o/mate:v2', from: 'pirate', parameters: { num_predict: 3 } });
    const shown = await client.show({ model: 'o/mate:v2' });
    expect(shown).toMatchObject({ system, messages });
    expect(shown.parameters.split('\n')).toEqual(
      expect.arrayContaining(['num_predict 3', 'stop "#"', 'temperature 0']),
    );
    await client.copy({ source: 'o/mate:v2', destination: 'again' });
    expect((await client.chat({ model: 'again', messages: [hello] })).eval_count).toBe(3);
    await client.delete({ model: 'o/mate:v2' });
    expect(await names()).toEqual(['again', 'pirate', 'tiny']);
  });

  it('is created by the command too, of the Modelfile that it is shown as', async () => {
    const { modelfile, ...shown } = await client.show({ model: 'pirate' });
    const file = join(folder, 'Modelfile');
    await writeFile(file, modelfile);
    const { code, stdout, stderr } = await runCommand('create', 'typed', '-f', file, '--json');
    expect([code, stderr]).toEqual([0, expect.any(String)]);
    expect(JSON.parse(stdout)).toMatchObject({ name: 'typed', from: 'tiny' });
    // A server that runs finds it.
    expect(await names()).toContain('typed');
    const same = await client.show({ model: 'typed' });
    const unordered = (text: string) => text.split('\n').sort();
    expect(unordered(same.parameters)).toEqual(unordered(shown.parameters));
    for (const field of ['system', 'messages', 'template', 'details'] as const)
      expect(same[field]).toEqual(shown[field]);
    const listed = JSON.parse((await runCommand('list', '--json')).stdout).models;
    expect(listed.find(({ name }: { name: string }) => name === 'typed')).toMatchObject({
      kind: 'created',
      from: 'tiny',
    });
    await writeFile(file, `FROM ${join(models, 'tiny.gguf')}\nPARAMETER temperature hot\n`);
    const bad = await runCommand('create', 'bad', '-f', file);
    expect(bad.stderr).toMatch(/Line 2: parameters\.temperature/);
    expect(await runCommand('rm', '--yes', 'typed')).toMatchObject({ code: 0 });
    await client.delete({ model: 'typed' });
  });

  it('has a template of its own, in Jinja', async () => {
    const template = '{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}<assistant>';
    await client.create({ model: 'plain', from: 'tiny', template, parameters: greedy });
    const own = await client.chat({ model: 'plain', messages: [hello] });
    const prompt = `<user>${hello.content}<assistant>`;
    const raw = await client.generate({ model: 'tiny', raw: true, prompt, options: greedy });
    // A raw prompt begins with BOS; this template has none.
    expect(own.prompt_eval_count).toBe(raw.prompt_eval_count - 1);
    expect((await client.show({ model: 'plain' })).template).toBe(template);
    await client.delete({ model: 'plain' });
  });
});

describe('what cannot be is refused by its field, and leaves nothing', () => {
  const go = '{{ if .System }}<|system|>{{ .System }}{{ end }}{{ range .Messages }}{{ .Content }}{{ end }}';
  it.each([
    ['template', { template: go }, /language of Go.*Jinja/],
    ['template', { template: '{% for m in messages %}' }, /does not parse/],
    ['template', { template: '[INST]' }, /does not write what the messages say/],
    ['parameters.temperature', { parameters: { temperature: -1 } }, /temperature/],
    ['parameters', { parameters: { draft_num_predict: 4 } }, /draft_num_predict/],
    ['messages.0.role', { messages: [{ role: 'pirate', content: 'Aye' }] }, /role/],
    ['quantize', { quantize: 'q9_K' }, /no file type.*Did you mean/s],
    ['quantize', { quantize: 'iq1_s' }, /importance matrix/],
    ['from', { from: 'nobody' }, /not served here/],
    ['files', { files: { 'a.gguf': digest } }, /not both/],
    ['adapters.a', { adapters: { a: `sha256:${'3'.repeat(64)}` } }, /Send it first/],
    ['adapters.a', { adapters: { a: '../../x' } }, /no digest/],
    ['adapters.a', { adapters: { a: digest } }, /no adapter/],
    ['modelfile', { modelfile: 'FROM tiny' }, /quern create/],
    ['renderer', { renderer: 'qwen3' }, /template/],
    ['model', { model: '../../x' }, /no name/],
    ['model', { model: 'a b' }, /no name/],
    ['model', { model: `${'x'.repeat(300)}` }, /no name/],
    ['model', { model: 'tiny' }, /already/],
  ])('%s: %j', async (param, body, error) => {
    const known = await names();
    const told = await refusal({ model: 'refused', from: 'tiny', ...body });
    expect(told).toMatchObject({ error: expect.stringMatching(error), param: param === 'from' ? 'model' : param });
    expect(told).toMatchObject({ status: param === 'from' ? 404 : 400 });
    expect(JSON.stringify(told)).not.toContain(folder);
    expect(await names()).toEqual(known);
  });

  it('texts without end', async () => {
    const license = 'x'.repeat(600_000);
    expect((await create({ model: 'wordy', from: 'tiny', license })).status).toBe(200);
    const more = await refusal({ model: 'wordier', from: 'wordy', license: `${license}y` });
    expect(more).toMatchObject({ status: 400, error: expect.stringMatching(/1048576/) });
    await client.delete({ model: 'wordy' });
  });

  it('a client that goes away while weights are quantized leaves all of it or nothing', async () => {
    const before = sent();
    const leaving = new AbortController();
    const body = JSON.stringify({ model: 'left', from: 'tiny', quantize: 'q3_K_L' });
    const response = await fetch(`${server.url}/api/create`, { method: 'POST', body, signal: leaving.signal });
    await response.body!.getReader().read();
    leaving.abort();
    await expect.poll(() => sent().filter((name) => name.includes('.partial'))).toEqual([]);
    const isThere = (await names()).includes('left');
    if (isThere) await client.delete({ model: 'left' });
    // Of a file without a model nobody would know.
    await expect.poll(sent).toEqual(before);
  });

  it('a file that is no model', async () => {
    const junk = Buffer.from('nothing of the kind');
    expect((await send(digestOf(junk), junk)).status).toBe(201);
    expect(await refusal({ model: 'junk', files: { 'junk.gguf': digestOf(junk) } })).toMatchObject({
      ...{ status: 400, error: expect.stringMatching(/not GGUF/), param: 'files' },
    });
    expect(await refusal({ model: 'junk' })).toMatchObject({ status: 400, param: 'from' });
    const cut = gguf.subarray(0, 100_000);
    await send(digestOf(cut), cut);
    expect(await refusal({ model: 'junk', files: { 'cut.gguf': digestOf(cut) } })).toMatchObject({ status: 400 });
    rmSync(join(blobs, digestOf(junk).replace(':', '-')));
    rmSync(join(blobs, digestOf(cut).replace(':', '-')));
  });
});

it('of many who create one name at a time, one is kept whole', async () => {
  const systems = Array.from({ length: 8 }, (_, i) => `You are number ${i}.`);
  await Promise.all(systems.map((system) => client.create({ model: 'Race', from: 'tiny', system })));
  const { system } = await client.show({ model: 'Race' });
  const kept = readFileSync(join(cache, 'quern--created/manifests/race.json'), 'utf8');
  expect(JSON.parse(kept).system).toBe(system);
  expect(systems).toContain(system);
  expect(readdirSync(join(cache, 'quern--created/manifests')).filter((name) => !name.endsWith('.json'))).toEqual([]);
  // In other letters it is the same one.
  await client.create({ model: 'race', from: 'tiny' });
  expect((await names()).filter((name) => /race/i.test(name))).toEqual(['race']);
  await client.delete({ model: 'race' });
});

describe('files of its own', () => {
  it('a model of a sent file answers as the model of the same file', async () => {
    expect((await create({ model: 'sent', files: { 'tiny.gguf': digest } })).status).toBe(200);
    const asked = { messages: [hello], options: greedy };
    const [own, base] = await Promise.all(['sent', 'tiny'].map((model) => client.chat({ model, ...asked })));
    expect(own!.message).toEqual(base!.message);
  });

  it('quantizes to the bytes of llama-quantize', async () => {
    const states: { status: string; total?: number; completed?: number }[] = [];
    const response = await create({ model: 'small', from: 'tiny', quantize: 'q4_K_M', stream: true });
    for (const line of (await response.text()).trim().split('\n')) states.push(JSON.parse(line));
    expect(states.at(-1)!.status).toBe('success');
    expect(states.some(({ status, total = 0, completed = 0 }) => /Q4_K_M/.test(status) && completed <= total)).toBe(
      true,
    );
    const [file] = sent().filter((name) => name !== digest.replace(':', '-'));
    const model = await openGgufModel(join(blobs, file!));
    const recorded = readFileSync(`${tinyLlama}/expected/quantize.tsv`, 'utf8').split('\n');
    const rows = recorded.map((row) => row.split('\t')).filter(([type, by]) => type === 'Q4_K_M' && by === 'none');
    expect(rows.length).toBe(model.tensors.size);
    for (const [, , name, type, hash] of rows) {
      const tensor = model.tensors.get(name!)!;
      const bytes = new Uint8Array(tensor.rows * tensor.rowBytes);
      await tensor.readRows(0, tensor.rows, bytes);
      expect([name, tensor.dtype.name, createHash('sha256').update(bytes).digest('hex')]).toEqual([name, type, hash]);
    }
    await model.close();
    expect((await client.generate({ model: 'small', prompt: 'Hi', options: greedy })).done).toBe(true);
    expect(await refusal({ model: 'again', from: 'small', quantize: 'q4_0' })).toMatchObject({
      ...{ status: 400, param: 'quantize', error: expect.stringMatching(/already quantized/) },
    });
  });

  it('adapters are applied, and those of another model refused', async () => {
    const base = await openModel(join(models, 'tiny.gguf'));
    const lora = async (name: string, config: object): Promise<Buffer> => {
      const dir = writeAdapterFolder(join(folder, name), { peft_type: 'LORA', r: 2, lora_alpha: 40, ...config }, [
        knownTensor('base_model.model.model.layers.0.mlp.up_proj.lora_A.weight', [2, 256], 1),
        knownTensor('base_model.model.model.layers.0.mlp.up_proj.lora_B.weight', [768, 2], 2),
      ]);
      const adapter = await openPeftAdapter(dir, base);
      const view = await adapterView(adapter, base);
      const out = join(folder, `${name}.gguf`);
      await writeModel(view, planConversion(view, conversionType('F32')!), out, { threads: 1 });
      await adapter.close();
      return readFileSync(out);
    };
    const fitting = await lora('fitting', {});
    await base.close();
    await send(digestOf(fitting), fitting);
    await client.create({ model: 'tuned', from: 'tiny', adapters: { 'lora.gguf': digestOf(fitting) } });
    const openai = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'none' });
    const asked = { prompt: 'In the beginning', max_tokens: 4, temperature: 0, logprobs: 0 };
    const logprobs = async (): Promise<number[]> =>
      (await openai.completions.create({ model: 'tuned', ...asked })).choices[0]!.logprobs!.token_logprobs!;
    const tuned = await logprobs();
    const plain = (await openai.completions.create({ model: 'tiny', ...asked })).choices[0]!.logprobs!.token_logprobs!;
    expect(tuned).not.toEqual(plain);
    // The same adapter for all models, as the server's flags give it.
    await server.close();
    await start({ lora: [join(folder, 'fitting.gguf')] });
    const flagged = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'none' });
    const same = await flagged.completions.create({ model: 'tiny', ...asked });
    expect(same.choices[0]!.logprobs!.token_logprobs).toEqual(tuned);
    await server.close();
    await start();
    // Its architecture is written into it: the same bytes for another one.
    const foreign = Buffer.from(fitting);
    foreign.write('qwen2', foreign.indexOf('llama', foreign.indexOf('general.architecture')));
    await send(digestOf(foreign), foreign);
    expect(await refusal({ model: 'no', from: 'tiny', adapters: { x: digestOf(foreign) } })).toMatchObject({
      ...{ status: 400, param: 'adapters.x', error: expect.stringMatching(/for qwen2 models, and the model is llama/) },
    });
    rmSync(join(blobs, digestOf(foreign).replace(':', '-')));
  });

  it('are there after the server has ended, and go with the last model that needs them', async () => {
    expect(await names()).toEqual(['again', 'pirate', 'sent', 'small', 'tiny', 'tuned']);
    // Loaded or not, it is told when it was made.
    const row = (await client.list()).models.find(({ name }) => name === 'pirate')!;
    const { createdMs } = JSON.parse(readFileSync(join(cache, 'quern--created/manifests/pirate.json'), 'utf8'));
    expect(new Date(row.modified_at).getTime()).toBe(createdMs);
    expect((await client.show({ model: 'pirate' })).system).toBe('You are a pirate.');
    // Named, it is served alone.
    await server.close();
    await start({ modelsDir: [], allowChanges: false }, ['pirate']);
    expect(await names()).toEqual(['pirate']);
    expect((await client.chat({ model: 'pirate', messages: [hello] })).eval_count).toBe(12);
    await server.close();
    await start();
    const asked = { messages: [hello], options: greedy };
    expect((await client.chat({ model: 'sent', ...asked })).done).toBe(true);
    await client.copy({ source: 'sent', destination: 'second' });
    await client.delete({ model: 'sent' });
    expect(sent()).toContain(digest.replace(':', '-'));
    expect((await client.chat({ model: 'second', ...asked })).done).toBe(true);
    await client.delete({ model: 'second' });
    expect(sent()).not.toContain(digest.replace(':', '-'));
    for (const model of ['small', 'tuned']) await client.delete({ model });
    expect(sent()).toEqual([]);
    expect(await names()).toEqual(['again', 'pirate', 'tiny']);
  });

  it('a context of its own', async () => {
    await client.create({ model: 'narrow', from: 'tiny', parameters: { num_ctx: 64 } });
    const long = { role: 'user', content: 'word '.repeat(200) };
    await expect(client.chat({ model: 'narrow', messages: [long] })).rejects.toThrow(/64 tokens/);
    expect((await client.chat({ model: 'tiny', messages: [long], options: { num_predict: 1 } })).done).toBe(true);
    await client.delete({ model: 'narrow' });
  });

  it('one name in any case: the last one created has it, and it is asked for and deleted as one', async () => {
    await client.create({ model: 'cased', from: 'tiny' });
    await client.create({ model: 'Cased', from: 'tiny', system: 'The second.' });
    expect(await names()).toEqual(['Cased', 'again', 'pirate', 'tiny']);
    for (const model of ['cased', 'CASED']) expect((await client.show({ model })).system).toBe('The second.');
    expect((await client.chat({ model: 'cased', messages: [hello], options: greedy })).done).toBe(true);
    await client.delete({ model: 'cased' });
    expect(await names()).toEqual(['again', 'pirate', 'tiny']);
  });

  it('a damaged description hides no other model', async () => {
    await writeFile(join(cache, 'quern--created/manifests/bad.json'), '{"version":');
    await server.close();
    await start();
    expect(await names()).toEqual(['again', 'pirate', 'tiny']);
    expect(statSync(join(models, 'tiny.gguf')).size).toBe(gguf.length);
  });
});
