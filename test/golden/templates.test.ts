// Chat templates of well-known models against what transformers 5.23 renders (recorded; QUERN_DATA/README.md says how).
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { QuernError } from '@quern/errors';
import { type ChatMessage, renderChat } from '@quern/tokenizer';
import { describe, expect, it } from 'vitest';

interface Case {
  messages: ChatMessage[];
  tools: unknown[] | null;
}
type Expected = { rendered: string } | { error: string };

const root = join(import.meta.dirname, '../..');
const folder = join(process.env.QUERN_DATA ?? join(root, '../shared/data'), 'templates');
const readJson = (path: string) => JSON.parse(readFileSync(path, 'utf8'));

const absent = !existsSync(folder);
if (absent) console.warn(`Skipped: chat templates of other models are not at ${folder} (set QUERN_DATA).`);

const names = absent ? [] : readdirSync(folder).filter((name) => name.endsWith('.jinja'));

describe.skipIf(absent).each(names.map((name) => name.slice(0, -'.jinja'.length)))('%s', (name) => {
  const cases: Record<string, Case> = readJson(join(folder, 'cases.json'));
  const expected: Record<string, Expected> = readJson(join(folder, `${name}.expected.json`));
  const template = readFileSync(join(folder, `${name}.jinja`), 'utf8');

  it.each(Object.entries(expected))('renders %s', (key, wanted) => {
    const { messages, tools } = cases[key.replace(/_no_prompt$/, '')] as Case;
    const got = render(messages, tools, !key.endsWith('_no_prompt'));
    // A template's own refusal comes word for word; Python's words for a type error are not ours to repeat.
    const ownWords = 'rendered' in wanted || template.includes(wanted.error);
    expect(got).toEqual(ownWords ? wanted : { error: expect.any(String) });
  });

  function render(messages: ChatMessage[], tools: unknown[] | null, addGenerationPrompt: boolean): Expected {
    try {
      const extra = { date_string: '26 Jul 2024' };
      const now = new Date(2026, 10, 24);
      const tokens = { bosToken: '<BOS>', eosToken: '<EOS>' };
      return {
        rendered: renderChat({
          template,
          messages,
          tools: tools ?? undefined,
          addGenerationPrompt,
          ...tokens,
          extra,
          now,
        }),
      };
    } catch (error) {
      if (!(error instanceof QuernError) || error.code !== 'chat-template-refused') throw error;
      return { error: (error.cause as Error).message };
    }
  }
});

describe('tiny-llama', () => {
  const model = join(root, 'test/models/tiny-llama');
  const chats: { messages: ChatMessage[]; tools: unknown[] | null; rendered: string }[] = readJson(
    join(model, 'expected/chat.json'),
  ).chat_template;

  it.each(chats.map((chat) => [chat.messages.at(-1)?.content, chat] as const))('renders %s', (_, chat) => {
    const rendered = renderChat({
      template: readFileSync(join(model, 'chat_template.jinja'), 'utf8'),
      messages: chat.messages,
      tools: chat.tools ?? undefined,
      addGenerationPrompt: true,
      bosToken: '<|begin_of_text|>',
      eosToken: '<|im_end|>',
    });
    expect(rendered).toBe(chat.rendered);
  });
});
