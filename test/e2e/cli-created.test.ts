// Created models at the command line: `quern run` says what transformers says to the same conversation written out, and the other commands
// take the weights by their name.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { knownTensor, writeAdapterFolder } from '../adapter-folder.ts';
import { runCommand, runCommands } from './cli-fixture.ts';
import { expectedChats, tinyLlama } from './serve-fixture.ts';

const [paris, fox] = expectedChats as [(typeof expectedChats)[0], (typeof expectedChats)[0]];
const exact = ['--activations', 'f32', '--cache-type-k', 'f32', '--cache-type-v', 'f32'];
const greedy = 'PARAMETER temperature 0\nPARAMETER repeat_penalty 1\n';
const folder = mkdtempSync(join(tmpdir(), 'quern-created-'));
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const before = process.env.HF_HUB_CACHE;

beforeAll(async () => {
  process.env.HF_HUB_CACHE = join(folder, 'hub');
  const instruction = ({ role, content }: { role: string; content: string }): string =>
    role === 'system' ? `SYSTEM """${content}"""\n` : `MESSAGE ${role} """${content}"""\n`;
  const begun = fox.messages.slice(0, -1).map(instruction).join('');
  const all = await runCommands([
    ['create', 'fox', '-f', file('fox', `FROM ${tinyLlama}\n${greedy}${begun}`)],
    ['create', 'stops', '-f', file('stops', `FROM ${tinyLlama}\n${greedy}PARAMETER stop "${word}"\n`)],
    [
      'create',
      'short',
      '-f',
      file('short', `FROM ${tinyLlama}\n${greedy}PARAMETER num_predict 3\nPARAMETER num_ctx 64\n`),
    ],
  ]);
  expect(all.map(({ code, stderr }) => [code, stderr])).toEqual(all.map(() => [0, '']));
});
afterAll(() => {
  process.env.HF_HUB_CACHE = before;
  rmSync(folder, { recursive: true });
});

const textOf = ({ greedy_text: text }: typeof paris): string => text.replace(/<\|im_end\|>$/, '');
/** In the middle of what transformers says. */
const word = textOf(paris).trim().split(/\s+/)[2]!;
const say = async (model: string, prompt: string, ...flags: string[]) => {
  const { stdout, stderr } = await runCommand('run', model, prompt, '--json', ...exact, ...flags);
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as { reply: string; finishReason: string; completionTokens: number; promptTokens: number };
};

it('run begins with its system prompt and messages', async () => {
  const said = await say('fox:latest', fox.messages.at(-1)!.content);
  expect(said).toMatchObject({ reply: textOf(fox), promptTokens: fox.ids.length, finishReason: 'stop' });
});

it('run ends where its own texts say, and flags come before its parameters', async () => {
  const stopped = await say('stops', paris.messages[0]!.content);
  expect(stopped).toMatchObject({ reply: textOf(paris).slice(0, textOf(paris).indexOf(word)), finishReason: 'stop' });
  const short = await say('short', paris.messages[0]!.content);
  expect(short).toMatchObject({ completionTokens: 3, finishReason: 'length' });
  expect(textOf(paris).startsWith(short.reply)).toBe(true);
  expect(await say('short', paris.messages[0]!.content, '-n', '5')).toMatchObject({ completionTokens: 5 });
  const long = await runCommand('run', 'short', 'word '.repeat(200));
  expect(long.stderr).toMatch(/the context has 64/);
});

it('other commands take its weights and adapters, or say what to give instead', async () => {
  const adapter = writeAdapterFolder(join(folder, 'adapter'), { peft_type: 'LORA', r: 2, lora_alpha: 40 }, [
    knownTensor('base_model.model.model.layers.0.mlp.up_proj.lora_A.weight', [2, 256], 1),
    knownTensor('base_model.model.model.layers.0.mlp.up_proj.lora_B.weight', [768, 2], 2),
  ]);
  const lora = join(folder, 'lora.gguf');
  const logits = (name: string, ...line: string[]): string[] => [
    ...['logits', ...line, '--ids', '1,5,9', '--threads', '1', '-o', join(folder, name)],
  ];
  const [converted, created, tokens, inspected, plain, flagged, own, quantize] = await runCommands([
    ['convert-lora', adapter, '--base', tinyLlama, '-o', lora],
    ['create', 'tuned', '-f', file('tuned', `FROM ${tinyLlama}\nADAPTER lora.gguf\n`)],
    ['tokenize', 'tuned', '--text', 'Hello world', '--json'],
    ['inspect', 'tuned', '--json'],
    logits('plain', tinyLlama),
    logits('flagged', tinyLlama, '--lora', lora),
    logits('own', 'tuned'),
    ['quantize', 'tuned', join(folder, 'out.gguf'), '--type', 'Q8_0'],
  ]);
  for (const { code, stderr } of [converted!, created!, plain!, flagged!, own!])
    expect([code, stderr]).toEqual([0, expect.any(String)]);
  expect(JSON.parse(tokens!.stdout)).toMatchObject({ model: 'tuned', tokenCount: expect.any(Number) });
  expect(JSON.parse(inspected!.stdout).notes.join()).toMatch(/the weights of tuned/);
  const bytes = (name: string): Buffer => readFileSync(join(folder, name));
  expect(bytes('own').equals(bytes('flagged'))).toBe(true);
  expect(bytes('own').equals(bytes('plain'))).toBe(false);
  expect(quantize!.stderr).toMatch(/"tuned" was created.*quern run tuned/s);
});
