// Values for requests that do not give them: from flags, from variables, from the model's file, in this order; a request comes first.
// The truth is the same server asked with the values in its requests.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseOverride } from '@quern/models';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readChatDefaults } from '../../apps/serve/src/chat-flags.ts';
import { withTemplate } from '../../apps/serve/src/with-template.ts';
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
    // In place of the file's own: what its generation_config.json says (temperature 0.7, top_p 0.9).
    const recommended = ['temp=float:0', 'penalty_repeat=float:1.3', 'penalty_last_n=int:99', 'top_k=str:nonsense'];
    const metadata = recommended.map((entry) => parseOverride(`general.sampling.${entry}`));
    server = await startTestServer({
      model: { override: { metadata, rope: {} }, defaults: { sampling: { repeat_penalty: 1.1 }, maxTokens: 5 } },
    });
    await server.ready;
  });
  afterAll(() => server.close());

  it('holds where neither flags nor requests say otherwise', async () => {
    const { defaults, notes } = await server.ready;
    const sampling = { temperature: 0, top_p: 0.9, repeat_penalty: 1.1, repeat_last_n: 99 };
    expect(defaults).toEqual({ sampling, maxTokens: 5 });
    expect(notes.join()).toContain('top_p 0.9, temperature 0, repeat_last_n 99, repeat_penalty 1.3');
    const asked = await textOf(server, { ...story, temperature: 0, repeat_penalty: 1.1, repeat_last_n: 99 });
    expect(await textOf(server, story)).toBe(asked);
    // Under its other name too.
    const other = { ...story, repetition_penalty: 2, repeat_last_n: 99, temperature: 0 };
    expect(await textOf(server, { ...story, repetition_penalty: 2 })).toBe(await textOf(server, other));
    expect(await textOf(server, { ...story, repetition_penalty: 2 })).not.toBe(asked);
  });

  it('seed: the flag’s, and the one that is told is the one that drew', async () => {
    const seeded = await startTestServer({ model: { defaults: { sampling: { seed: 42 } }, contextTokens: 256 } });
    await seeded.ready;
    const draw = async (fields: object) => {
      const body = { prompt: 'In the beginning', n_predict: 12, temperature: 1.5, ...neverEnding, ...fields };
      return (await seeded.post('/completion', body)).json();
    };
    const first = await draw({});
    expect(first.generation_settings.seed).toBe(42);
    expect((await draw({})).content).toBe(first.content);
    expect((await draw({ seed: 42 })).content).toBe(first.content);
    expect((await draw({ seed: -1 })).generation_settings.seed).not.toBe(42);
    await seeded.close();
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
  expect(notes[0]).toMatch(/100000 tokens .* 2048/);
  await server.close();
});

it('what the server says of thinking and of the template holds until a request says it', async () => {
  const template =
    '{% for m in messages %}{{ m.content }}{% endfor %}{{ tone }}{% if enable_thinking is defined and not enable_thinking %} no{% endif %}';
  const chat = readChatDefaults({ chatTemplateKwargs: '{"tone": " low"}', reasoning: 'off', reasoningBudget: '7' });
  expect(chat).toEqual({ templateVariables: { tone: ' low' }, thinking: false, thinkingBudget: 7 });
  const override = withTemplate(undefined, { chatTemplate: template })!;
  const server = await startTestServer({ model: { override, contextTokens: 64, defaults: { sampling: {}, chat } } });
  await server.ready;
  const prompt = async (fields: object) => {
    const body = { messages: [{ role: 'user', content: 'Hi' }], ...fields };
    return (await (await server.post('/apply-template', body)).json()).prompt;
  };
  expect(await prompt({})).toBe('Hi low no');
  expect(await prompt({ chat_template_kwargs: { tone: '!', enable_thinking: true } })).toBe('Hi!');
  expect(await prompt({ reasoning_effort: 'none' })).toBe('Hi low no');
  await server.close();
  for (const [text, why] of [
    ['[1]', /JSON object/],
    ['{', /no JSON/],
    ['{"messages": []}', /field of requests/],
  ] as const)
    expect(() => readChatDefaults({ chatTemplateKwargs: text })).toThrow(why);
});

it('another template in place of the model’s own', async () => {
  const template = '{% for m in messages %}{{ m.role | upper }}: {{ m.content }}\n{% endfor %}';
  const override = withTemplate(undefined, { chatTemplate: template })!;
  const server = await startTestServer({ model: { override, contextTokens: 64 } });
  const { tokenizer } = await server.ready;
  expect(tokenizer.chatTemplate).toBe(template);
  const reply = await (await server.post(path, { messages: story.messages, max_tokens: 1 })).json();
  expect(reply.usage.prompt_tokens).toBe(tokenizer.encode('USER: Tell me a story.\n').length);
  await server.close();
  expect(() => withTemplate(undefined, { chatTemplate: 'chatml' })).toThrow(/not its name|says nothing/);
  expect(() => withTemplate(undefined, { chatTemplate: '{% for m in %}' })).toThrow();
  expect(() => withTemplate(undefined, { chatTemplateFile: join(folder, 'none') })).toThrow(/cannot be read/);
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
