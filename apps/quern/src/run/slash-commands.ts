// The commands of a chat, one row each. A message that begins with a slash has a space before it.
import { nearest, QuernError } from '@quern/errors';
import type { Conversation } from './conversation.ts';
import { describeSettings, withSetting } from './settings.ts';
import { loadChat, saveChat } from './transcript.ts';

type Say = (line: string) => void;

interface Row {
  readonly name: string;
  /** What follows the name, as help shows it. */
  readonly takes?: string;
  readonly summary: string;
  run(rest: string, conversation: Conversation, say: Say): Promise<unknown> | unknown;
}

const rows: readonly Row[] = [
  { name: '/help', summary: 'these lines', run: (_rest, _conversation, say) => say(helpText()) },
  {
    name: '/clear',
    summary: 'forget what was said; the system prompt stays',
    run: (_rest, conversation, say) => {
      conversation.clear();
      say('forgotten');
    },
  },
  {
    name: '/system',
    takes: '[text]',
    summary: 'what the model is told before the chat; alone: show it; none: take it away',
    run: (rest, conversation, say) => {
      if (rest !== '') conversation.system = rest === 'none' ? undefined : rest;
      say(conversation.system === undefined ? 'no system prompt' : `system: ${conversation.system}`);
    },
  },
  {
    name: '/set',
    takes: '[name value]',
    summary: 'temp, top-k, top-p, min-p, repeat-penalty, seed, n-predict, think, …; alone: show all',
    run: (rest, conversation, say) => {
      const [, name, value = ''] = /^(?:--)?(\S+)(?:\s+(.*))?$/.exec(rest) ?? [];
      if (name === 'system') conversation.system = value;
      else if (name !== undefined) conversation.settings = withSetting(conversation.settings, name, value.trim());
      say(describeSettings(conversation.settings));
    },
  },
  {
    name: '/save',
    takes: '<file>',
    summary: 'write the messages as JSON',
    run: async (rest, conversation, say) => {
      await saveChat(rest, conversation.messages);
      say(`${conversation.messages.length} messages in ${rest}`);
    },
  },
  {
    name: '/load',
    takes: '<file>',
    summary: 'go on with messages that were saved',
    run: async (rest, conversation, say) => {
      conversation.restore(await loadChat(rest));
      say(`${conversation.messages.length} messages`);
    },
  },
  { name: '/bye', summary: 'leave (also /exit, /quit, Ctrl-D)', run: () => 'leave' },
];
const leaving = ['/exit', '/quit'];

/**
 * @returns `leave` when the chat is over
 * @throws QuernError `usage-unknown-command`, and those of settings and files
 */
export async function runSlashCommand(line: string, conversation: Conversation, say: Say): Promise<unknown> {
  const [, name, rest = ''] = /^(\S+)(?:\s+([\s\S]*))?$/.exec(line) ?? [];
  if (name !== undefined && leaving.includes(name)) return 'leave';
  const row = rows.find((known) => known.name === name);
  if (row) return row.run(rest.trim(), conversation, say);
  const [similar] = nearest(
    name ?? '',
    rows.map((known) => known.name),
  );
  throw new QuernError('usage-unknown-command', `There is no ${name}.`, {
    remedy: `${similar === undefined ? '/help shows what there is.' : `Did you mean ${similar}?`} A message may begin with a space and then a slash.`,
  });
}

const helpText = (): string =>
  rows.map(({ name, takes = '', summary }) => `  ${`${name} ${takes}`.padEnd(20)} ${summary}`).join('\n');
