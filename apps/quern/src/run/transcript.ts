// A chat as a file: {"messages": [{"role", "content"}, …]}, as requests to chat servers have it.
import { QuernError } from '@quern/errors';
import { readInputFile, requireOutputFile, writeWholeFile } from '@quern/source';
import { toJson } from '@quern/terminal';
import type { Turn } from './conversation.ts';

const roles = ['system', 'user', 'assistant'];

/** @throws QuernError `usage-no-file`, `refused-output-exists`, and those of writing */
export async function saveChat(path: string, messages: readonly Turn[]): Promise<void> {
  requireName(path);
  const bytes = new TextEncoder().encode(`${toJson({ messages }, 2)}\n`);
  await requireOutputFile(path, { size: bytes.length, flag: '/save' });
  await writeWholeFile(path, bytes);
}

/** @throws QuernError `usage-no-file`, `chat-file-unreadable`, `chat-file-invalid` */
export async function loadChat(path: string): Promise<Turn[]> {
  requireName(path);
  const bytes = await readInputFile(path, 'chat', 'chat-file-unreadable');
  const invalid = (why: string) =>
    new QuernError('chat-file-invalid', `The file is no saved chat: ${why}.`, { file: path });
  let read: unknown;
  try {
    read = JSON.parse(bytes.toString());
  } catch (error) {
    throw invalid((error as Error).message);
  }
  const messages = (read as { messages?: unknown } | null)?.messages;
  if (!Array.isArray(messages)) throw invalid('it has no list of messages');
  return messages.map((message: Partial<Turn> | null, i) => {
    const { role, content } = message ?? {};
    if (!roles.includes(role as string) || typeof content !== 'string')
      throw invalid(`message ${i + 1} has not a role (${roles.join(', ')}) and a content that is text`);
    return { role: role!, content };
  });
}

function requireName(path: string): void {
  if (path === '') throw new QuernError('usage-no-file', 'Give the name of a file.');
}
