// `quern run`: the replies are transformers' own greedy texts, whether a prompt is an argument, piped in, or typed.
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { Engine } from '@quern/engine';
import { openModel } from '@quern/models';
import { tokenizerFromGguf } from '@quern/tokenizer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chat } from '../../apps/quern/src/run/chat.ts';
import { Conversation } from '../../apps/quern/src/run/conversation.ts';
import { commandLine, resultOf, runCommands } from './cli-fixture.ts';
import { expectedChats, tinyLlama } from './serve-fixture.ts';

const [paris, fox] = expectedChats as [(typeof expectedChats)[0], (typeof expectedChats)[0]];
const question = paris.messages[0]!.content;
const text = (chat: typeof paris): string => chat.greedy_text.replace(/<\|im_end\|>$/, '');
const exact = ['--temp', '0', '--activations', 'f32', '--cache-type-k', 'f32', '--cache-type-v', 'f32'];

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'quern-run-'));
});
afterAll(() => rm(dir, { recursive: true }));

/** @param input undefined: what a program's child gets that is given none, and that never ends */
function run(input: string | undefined, ...args: string[]) {
  const child = spawn(process.execPath, commandLine('run', tinyLlama, ...exact, ...args), { stdio: 'pipe' });
  if (input !== undefined) child.stdin.end(input);
  return resultOf(child);
}

describe('one prompt', () => {
  it('as an argument: stdout is the reply alone', async () => {
    const { code, stdout, stderr } = await run(undefined, question, '--verbose');
    expect(stdout).toBe(`${text(paris)}\n`);
    expect(stderr).toMatch(
      new RegExp(`prompt: ${paris.ids.length} tokens in .*; reply: ${paris.greedy_ids.length} tokens`),
    );
    expect(code).toBe(0);
  });

  it('piped in, as one document', async () => {
    const { stdout, code } = await run(question, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      reply: text(paris),
      finishReason: 'stop',
      promptTokens: paris.ids.length,
      completionTokens: paris.greedy_ids.length,
    });
  });

  it('is refused when there is none, or two; a setting when it is none', async () => {
    const none = await run('');
    const [two, range] = await runCommands([
      ['run', tinyLlama, 'a', '-p', 'b'],
      ['run', tinyLlama, 'a', '--top-p', '1.5'],
    ]);
    expect(none).toMatchObject({ code: 2 });
    expect(none.stderr).toContain('There is no prompt.');
    expect(two).toMatchObject({ code: 2 });
    expect(range!.stderr).toContain("--top-p must be a number from 0 to 1, not '1.5'.");
  });
});

describe('a chat', () => {
  let engine: Engine;
  let conversation: Conversation;
  beforeAll(async () => {
    engine = await Engine.start({ modelPath: tinyLlama, threads: 1 });
    const view = await openModel(tinyLlama);
    conversation = new Conversation({ engine, tokenizer: tokenizerFromGguf(view.metadata) });
    conversation.settings = { sampling: { temperature: 0 } };
    await view.close();
  });
  afterAll(() => engine.close({ cancel: true }));

  /** A terminal: what is typed goes in, `until` waits for what is shown. */
  function sitDown() {
    const [input, output] = [new PassThrough(), new PassThrough()];
    let shown = '';
    // Without what moves the cursor.
    output.on(
      'data',
      (chunk) =>
        (shown += String(chunk)
          .replaceAll(`${String.fromCharCode(27)}[`, '\x9b')
          .replaceAll(/\x9b[\d;]*[A-Za-z]/g, '')),
    );
    const ended = chat(conversation, { input, output });
    const until = async (moment: RegExp): Promise<string> => {
      while (!moment.test(shown)) await new Promise((resolve) => output.once('data', resolve));
      const seen = shown;
      shown = '';
      return seen;
    };
    return { type: (keys: string) => input.write(keys), until, ended };
  }

  it('answers message after message, with commands between', async () => {
    const terminal = sitDown();
    await terminal.until(/>>> /);
    terminal.type(`${question}\r`);
    expect(await terminal.until(/\n.*>>> /)).toContain(text(paris));
    terminal.type('/clear\r');
    await terminal.until(/forgotten/);

    const saved = join(dir, 'saved.json');
    await writeFile(saved, JSON.stringify({ messages: fox.messages.slice(0, -1) }));
    terminal.type(`/load ${saved}\r`);
    await terminal.until(/3 messages/);
    terminal.type(`${fox.messages.at(-1)!.content}\r`);
    expect(await terminal.until(/happy\.\n/)).toContain(text(fox));
    const again = join(dir, 'again.json');
    terminal.type(`/save ${again}\r`);
    await terminal.until(/5 messages in/);
    expect(JSON.parse(await readFile(again, 'utf8')).messages).toEqual([
      ...fox.messages,
      { role: 'assistant', content: text(fox) },
    ]);

    terminal.type('/cleer\r');
    expect(await terminal.until(/error: .*\n/)).toContain('Did you mean /clear?');
    terminal.type('/set temp hot\r');
    expect(await terminal.until(/error: .*\n/)).toContain("--temp must be a number from 0 to 100, not 'hot'");
    terminal.type('\x04');
    await terminal.ended;
  });

  it('takes messages of several lines', async () => {
    conversation.clear();
    const terminal = sitDown();
    await terminal.until(/>>> /);
    terminal.type('"""one\r  two"""\r');
    await terminal.until(/\n[^\n]*>>> $/);
    terminal.type('three\\\rfour\r');
    await terminal.until(/four[\s\S]*\n[^\n]*>>> $/);
    terminal.type('/bye\r');
    await terminal.ended;
    const said = conversation.messages.filter(({ role }) => role === 'user').map(({ content }) => content);
    expect(said).toEqual(['one\n  two', 'three\nfour']);
  });

  it('stops a reply at Ctrl-C and goes on; twice at an empty prompt leaves', async () => {
    conversation.clear();
    // Both ends forbidden: it writes until it is stopped.
    const logitBias = new Map([1, 3].map((id) => [id, Number.NEGATIVE_INFINITY]));
    conversation.settings = { sampling: { temperature: 0, logitBias } };
    const terminal = sitDown();
    await terminal.until(/>>> /);
    terminal.type('Tell me a story about a fox.\r');
    await terminal.until(/\n\S+ \S+/);
    terminal.type('\x03');
    await terminal.until(/\[stopped\]/);
    conversation.settings = { sampling: { temperature: 0 } };
    conversation.clear();
    terminal.type(`${question}\r`);
    expect(await terminal.until(/\n[^\n]*>>> $/)).toContain(text(paris));
    terminal.type('\x03');
    await terminal.until(/Ctrl-C again/);
    terminal.type('\x03');
    await terminal.ended;
  });
});
