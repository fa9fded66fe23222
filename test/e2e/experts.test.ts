// A trained mixture of experts through the commands: llama-perplexity's figures and transformers' greedy text, as for the
// dense model in eval-perplexity.test.ts (tolerances there) and serve-chat.test.ts.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadServedModel } from '@quern/serve-command/server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root, runCommand } from './cli-fixture.ts';
import { startTestServer, type TestServer } from './serve-fixture.ts';

const model = join(root, 'test/models/tiny-qwen3-moe');
const expected = (name: string) => readFileSync(join(model, 'expected', name), 'utf8');

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'quern-experts-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('quern eval agrees with llama-perplexity', async () => {
  const text = join(folder, 'prose-test.txt');
  writeFileSync(text, readFileSync(join(root, 'test/models/text/prose-test.txt')).subarray(0, 60_000));
  const quantized = join(folder, 'q4.gguf');
  const converted = await runCommand('convert', model, '--type', 'Q4_K_M', '-o', quantized);
  expect(converted).toMatchObject({ code: 0 });
  const { stdout } = await runCommand('eval', model, quantized, '--text', text, '--threads', '1', '--json', '-q');

  const figures = new Map(
    expected('perplexity.tsv')
      .trim()
      .split('\n')
      .map((line) => line.split('\t'))
      .map(([file, name, figure]) => [`${file} ${name}`, Number.parseFloat(figure!)]),
  );
  const [plain, q4] = JSON.parse(stdout).models.map(({ ppl }: { ppl: number }) => ppl);
  expect(Math.abs(plain / figures.get('f32 prose-test.txt')! - 1)).toBeLessThan(3e-5);
  expect(Math.abs(q4 / figures.get('Q4_K_M-none prose-test.txt')! - 1)).toBeLessThan(1e-3);
});

describe('quern serve', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ load: () => loadServedModel(model, { threads: 1 }) });
    await server.ready;
  });
  afterAll(() => server.close());

  const chats: { messages: object[]; tools: object[] | null; greedy_text: string }[] = JSON.parse(
    expected('chat.json'),
  ).chat_template;
  const spoken = chats.filter(({ greedy_text: text }) => !text.includes('<tool_call>'));

  it.each(spoken.map((chat, index) => ({ index, chat })))(
    'gives the greedy text that transformers gives (conversation $index)',
    async ({ chat: { messages, tools, greedy_text: text } }) => {
      const body = { messages, tools: tools ?? undefined, temperature: 0, max_tokens: 96 };
      const reply = await (await server.post('/v1/chat/completions', body)).json();
      expect(reply.choices[0].message.content).toBe(text.replace(/<\|im_end\|>$/, ''));
    },
  );
});
