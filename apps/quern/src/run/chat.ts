// The loop of a chat: a message, its reply, the next message. Ctrl-C stops a reply, and at an empty prompt says how to leave.
import type { Readable, Writable } from 'node:stream';
import { QuernError } from '@quern/errors';
import { printableLines } from '@quern/terminal';
import type { Conversation } from './conversation.ts';
import { LineReader } from './line-reader.ts';
import { runSlashCommand } from './slash-commands.ts';
import { speedText } from './speed.ts';

export interface ChatOptions {
  readonly input: Readable;
  readonly output: Writable;
  readonly verbose?: boolean;
}

/** Lines and tabs stay. */
const harmless = (text: string): string => text.split('\t').map(printableLines).join('\t');

export async function chat(conversation: Conversation, { input, output, verbose }: ChatOptions): Promise<void> {
  let reply: AbortController | undefined;
  const say = (line: string): void => void output.write(`${line}\n`);
  const lines = new LineReader(input, output, () => {
    if (reply === undefined) return false;
    reply.abort();
    return true;
  });
  say('A message, or /help. Ctrl-C stops a reply, Ctrl-D leaves.');
  try {
    for (;;) {
      const message = await lines.message();
      if (message === undefined) return;
      if (message.trim() === '') continue;
      try {
        if (message.startsWith('/')) {
          if ((await runSlashCommand(message, conversation, say)) === 'leave') return;
          continue;
        }
        reply = new AbortController();
        // What a model writes may be escape sequences, which are the terminal's to obey.
        const { end } = await conversation.say(message, (text) => output.write(harmless(text)), reply.signal);
        say(end.finishReason === 'cancelled' ? ' [stopped]' : end.finishReason === 'length' ? ' [length]' : '');
        if (verbose) say(speedText(end));
      } catch (error) {
        // A message that cannot be answered must not end the chat; an engine that is gone does.
        if (!(error instanceof QuernError) || error.code.startsWith('engine-')) throw error;
        say(`error: ${printableLines(error.describe())}`);
      } finally {
        reply = undefined;
      }
    }
  } finally {
    lines.close();
  }
}
