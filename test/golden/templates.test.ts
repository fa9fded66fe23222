// Chat templates of well-known models against what transformers renders (recorded; QUERN_DATA/README.md and
// data/templates/README.md say how), and small templates that show the language.
import { createHash } from 'node:crypto';
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

interface Conversation extends Case {
  add_generation_prompt: boolean;
  extra: Record<string, unknown>;
}

const recorded = join(root, 'test/golden/data/templates');
const conversations: [string, Conversation][] = Object.entries(readJson(join(recorded, 'conversations.json')));
const hashes: Record<string, string> = readJson(join(recorded, 'hashes.json'));

/** Eight digits of the text; of a refusal in the template's own words, of those. */
function hashOf(template: string, { messages, tools, add_generation_prompt, extra }: Conversation, wanted: string) {
  const options = { template, messages, tools: tools ?? undefined, addGenerationPrompt: add_generation_prompt, extra };
  const short = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 8);
  try {
    return short(renderChat({ ...options, bosToken: '<BOS>', eosToken: '<EOS>', now: new Date(2026, 10, 24) }));
  } catch (error) {
    if (!(error instanceof QuernError) || error.code !== 'chat-template-refused') throw error;
    return wanted === 'refused' ? wanted : short(`refused: ${(error.cause as Error).message}`);
  }
}

it.skipIf(absent).each(names.map((name) => name.slice(0, -'.jinja'.length)))('conversations in %s', (name) => {
  const template = readFileSync(join(folder, `${name}.jinja`), 'utf8');
  const wanted = hashes[name]!.split(' ');
  const got = conversations.map(([, conversation], i) => hashOf(template, conversation, wanted[i]!));
  const all = (list: string[]) => Object.fromEntries(conversations.map(([key], i) => [key, list[i]]));
  expect(all(got)).toEqual(all(wanted));
});

const language: { template: string; text?: string; refused?: string | true }[] = readJson(
  join(recorded, 'language.json'),
);

it.each(language)('the language: $template', ({ template, text, refused }) => {
  const extra = { x: 3, l: [1, 2, 3], d: { a: 1, b: 2 }, f: [1.5, 1e-7, 123456.789, 1e22] };
  const rendered = () => renderChat({ template, messages: [], extra });
  if (refused === undefined) expect(rendered()).toBe(text);
  else expect(rendered).toThrow(typeof refused === 'string' ? refused : undefined);
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
