// Values for requests that do not give them: from flags, from variables, from the model's file, in this order; a request comes first.
// The truth is the same server asked with the values in its requests.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand, startCommand } from './cli-fixture.ts';
import { neverEnding, startTestServer, type TestServer, tinyLlama } from './serve-fixture.ts';

const path = '/v1/chat/completions';
const story = { messages: [{ role: 'user', content: 'Tell me a story.' }], max_tokens: 12, ...neverEnding };
const textOf = async (server: TestServer, body: object): Promise<string> =>
  (await (await server.post(path, body)).json()).choices[0].message.content;

const folder = mkdtempSync(join(tmpdir(), 'quern-defaults-'));
let plain: TestServer;
beforeAll(async () => {
  plain = await startTestServer();
  await plain.ready;
});
afterAll(async () => {
  await plain.close();
  rmSync(folder, { recursive: true });
});

describe('what a model’s file recommends', () => {
  let server: TestServer;
  beforeAll(async () => {
    const gguf = join(folder, 'recommending.gguf');
    const recommended = ['temp=float:0', 'penalty_repeat=float:1.3', 'penalty_last_n=int:-1', 'top_k=str:nonsense'];
    const overrides = recommended.flatMap((entry) => ['--override-kv', `general.sampling.${entry}`]);
    const { code, stderr } = await runCommand('convert', tinyLlama, '--type', 'Q8_0', '-o', gguf, ...overrides);
    expect(stderr.slice(-500)).not.toContain('error');
    expect(code).toBe(0);
    const { loadServedModel } = await import('@quern/serve-command/server');
    server = await startTestServer({
      load: () => loadServedModel(gguf, { threads: 1, defaults: { sampling: { repeat_penalty: 1.1 }, maxTokens: 5 } }),
    });
    await server.ready;
  });
  afterAll(() => server.close());

  it('holds where neither flags nor requests say otherwise', async () => {
    const { defaults, notes } = await server.ready;
    expect(defaults).toEqual({ sampling: { temperature: 0, repeat_penalty: 1.1, repeat_last_n: -1 }, maxTokens: 5 });
    expect(notes.join()).toContain('temperature 0, repeat_last_n -1, repeat_penalty 1.3');
    const asked = await textOf(server, { ...story, temperature: 0, repeat_penalty: 1.1, repeat_last_n: -1 });
    expect(await textOf(server, story)).toBe(asked);
    // Under its other name too.
    const other = { ...story, repetition_penalty: 2, repeat_last_n: -1, temperature: 0 };
    expect(await textOf(server, { ...story, repetition_penalty: 2 })).toBe(await textOf(server, other));
    expect(await textOf(server, { ...story, repetition_penalty: 2 })).not.toBe(asked);
  });

  it('length: the flag’s, unless the request says it', async () => {
    const { max_tokens: _, ...open } = story;
    for (const [route, body] of [
      [path, open],
      ['/v1/completions', { prompt: 'Once', ...neverEnding }],
    ] as const)
      expect((await (await server.post(route, body)).json()).usage.completion_tokens).toBe(5);
    expect((await (await server.post(path, story)).json()).usage.completion_tokens).toBe(12);
  });
});

it('a context beyond the trained one is the trained one, with a note', async () => {
  const server = await startTestServer({ model: { contextTokens: 100_000 } });
  const { contextTokens, notes } = await server.ready;
  expect(contextTokens).toBe(2048);
  expect(notes).toEqual([expect.stringMatching(/100000 tokens .* 2048/)]);
  await server.close();
});

describe('flags and variables', () => {
  it('a flag comes before a variable', async () => {
    const child = startCommand(
      ...['serve', tinyLlama, '--port', '0', '--threads', '1', '--temp', '0', '--seed', '7', '-n', '3', '-c', '4096'],
    );
    let log = '';
    child.stderr!.on('data', (piece) => (log += piece));
    let url = '';
    child.stdout!.on('data', (piece) => (url += piece));
    await expect.poll(() => log).toContain('serving "tiny-llama": context 2048 of 2048 tokens');
    expect(log).toContain('a context of 4096 tokens was asked for');
    url = /http:\S+/.exec(url)![0];
    const response = await fetch(url + path, { method: 'POST', body: JSON.stringify({ messages: story.messages }) });
    const reply = await response.json();
    expect(reply.usage.completion_tokens).toBe(3);
    const greedy = await textOf(plain, { messages: story.messages, temperature: 0, max_tokens: 3 });
    expect(reply.choices[0].message.content).toBe(greedy);
    const ended = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
    expect(log).toContain('SIGTERM again ends it at once');
    expect(log).not.toContain('Ctrl-C');
  });

  it.each([
    [['--temp', 'hot'], /--temp hot/],
    [['--top-p', '2'], /--top-p 2/],
    [['--samplers', 'top_k;nonsense'], /--samplers top_k;nonsense/],
    [['-n', '0'], /--n-predict 0/],
    [['--api-key', 'a,,b'], /key of --api-key is empty/],
    [['--ssl-cert-file', 'cert.pem'], /certificate and its key/],
    [['--api-key-file', '/nowhere'], /API keys cannot be read/],
  ])('%j is refused before anything is loaded', async (flags, message) => {
    const { code, stderr } = await runCommand('serve', tinyLlama, '--port', '0', ...flags);
    expect(stderr).toMatch(message);
    expect(code).not.toBe(0);
  });
});
