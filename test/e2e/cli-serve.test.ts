// `quern serve` as a process: it says where it listens, answers, and ends cleanly on a signal.
import type { ChildProcess } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root, runCommand, startCommand } from './cli-fixture.ts';
import { tinyLlama } from './serve-fixture.ts';

/** Resolves with the address once the process has printed it. */
function address(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let printed = '';
    child.stdout!.on('data', (chunk) => {
      printed += chunk;
      const url = /^listening on (http:\S+)$/m.exec(printed)?.[1];
      if (url) resolve(url);
    });
    child.once('close', (code) => reject(new Error(`ended with ${code}: ${printed}`)));
  });
}

describe('quern serve', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('serves until %s and leaves with 0', async (signal) => {
    const child = startCommand('serve', tinyLlama, '--port', '0', '--threads', '1', '-c', '256', '--alias', 'tiny');
    let log = '';
    child.stderr!.on('data', (chunk) => (log += chunk));
    const url = await address(child);
    await expect.poll(async () => (await fetch(`${url}/health`)).status).toBe(200);
    const { data } = await (await fetch(`${url}/v1/models`)).json();
    expect(data[0]).toMatchObject({ id: 'tiny', max_model_len: 256 });
    const reply = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ messages: [{ role: 'user', content: 'What is the capital of France?' }], temperature: 0 }),
    });
    expect((await reply.json()).choices[0].message.content).toBe('The capital of France is Paris.');
    // Long texts have a thread of their own, which must not outlive the server.
    const long = await fetch(`${url}/tokenize`, {
      method: 'POST',
      body: JSON.stringify({ content: 'a '.repeat(10_000) }),
    });
    expect(long.status).toBe(200);
    const ended = new Promise((resolve) => child.once('close', resolve));
    child.kill(signal);
    expect(await ended).toBe(0);
    expect(log).toContain('serving "tiny": context 256 of 2048 tokens');
    expect(log).toMatch(/^POST \/v1\/chat\/completions 200, tiny stop: 16 prompt \+ 8 reply tokens, /m);
  });

  it('a preset comes before a variable, models come later too, and what is said is logged where asked for', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'quern-serve-'));
    const gguf = join(root, 'test/models/arch/llama3/llama.cpp-bf16.gguf');
    await mkdir(join(dir, 'models'));
    const preset = join(dir, 'presets.ini');
    await writeFile(preset, `[own]\nmodel = ${gguf}\nctx-size = 32\n[usual]\nmodel = ${gguf}\n`);
    process.env.LLAMA_ARG_CTX_SIZE = '64';
    const flags = ['--preset', preset, '--models-dir', join(dir, 'models'), '--log-contents', '--threads', '1'];
    const child = startCommand('serve', '--port', '0', ...flags);
    delete process.env.LLAMA_ARG_CTX_SIZE;
    let log = '';
    child.stderr!.on('data', (chunk) => (log += chunk));
    const url = await address(child);
    const post = (model: string) =>
      fetch(`${url}/v1/completions`, {
        method: 'POST',
        body: JSON.stringify({ model, prompt: [5, 6, 7], max_tokens: 1, user: `asks ${model}` }),
      });
    const listed = async (): Promise<Record<string, number>> => {
      const { data } = await (await fetch(`${url}/v1/models`)).json();
      return Object.fromEntries(data.map((one: { id: string; max_model_len: number }) => [one.id, one.max_model_len]));
    };
    expect((await post('late')).status).toBe(404);
    expect(Object.keys(await listed())).toEqual(['own', 'usual']);
    // Complete from its first moment on.
    await copyFile(gguf, join(dir, 'late.gguf'));
    await rename(join(dir, 'late.gguf'), join(dir, 'models/late.gguf'));
    const lengths: number[] = [];
    for (const model of ['late', 'own', 'usual']) {
      expect((await post(model)).status, model).toBe(200);
      lengths.push((await listed())[model]!);
    }
    expect(lengths).toEqual([64, 32, 64]);
    const ended = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
    expect(log).toMatch(/^ {2}asked: .*asks late/m);
    expect(log).toMatch(/^ {2}answered: .*text_completion/m);
    await rm(dir, { recursive: true });
  });

  it('leaves with 1 when the model cannot be loaded, without listening forever', async () => {
    const { code, stderr } = await runCommand('serve', tinyLlama, '--port', '0', '-c', '256', '--cache-tokens', '64');
    expect(stderr).toMatch(/context of 256 tokens .* cache of 64/);
    expect(code).toBe(1);
  });

  it('leaves with 1 when the port is taken, and says so', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => holder.once('listening', resolve));
    const { port } = holder.address() as { port: number };
    const { code, stderr } = await runCommand('serve', tinyLlama, '--port', String(port));
    expect(stderr).toMatch(new RegExp(`Cannot listen on 127\\.0\\.0\\.1:${port}.*--port`));
    expect(code).toBe(1);
    holder.close();
  });

  it('refuses a wrong number with a usage error', async () => {
    const { code, stderr } = await runCommand('serve', tinyLlama, '--port', '99999');
    expect(stderr).toMatch(/--port/);
    expect(code).toBe(2);
  });
});
