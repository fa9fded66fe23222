// Messages through a chat template, without holding up other clients: long conversations are rendered on a thread of their own.
import { setImmediate } from 'node:timers/promises';
import { type RenderChatOptions, renderChat } from '@quern/tokenizer';
import type { ServedModel } from '../models/served-model.ts';

/** Values in messages and tools. A template takes microseconds for each; long strings cost it nothing. */
const manyValues = 2000;

/** @throws QuernError those of `renderChat` */
export async function renderMessages(
  { texts }: ServedModel,
  options: RenderChatOptions,
  signal: AbortSignal,
): Promise<string> {
  const { messages, tools, extra } = options;
  if (!isLarge([messages, tools, extra])) return renderChat(options);
  // Copying them for the thread takes as long as the checks before: others are answered in between.
  await setImmediate();
  return texts.render(options, signal);
}

function isLarge(value: unknown): boolean {
  const open = [value];
  let count = 0;
  while (open.length > 0) {
    const next = open.pop();
    if (++count > manyValues) return true;
    if (typeof next !== 'object' || next === null) continue;
    for (const inner of Object.values(next)) {
      open.push(inner);
      if (open.length > manyValues) return true;
    }
  }
  return false;
}
