// A reply as a whole, read in pieces.
import type { ChatFormat } from '../format.ts';
import type { ReplyEvent } from '../reply/events.ts';
import { createReplyReader, type ReplyOptions } from '../reply/reply-reader.ts';

export interface Read {
  reasoning: string;
  content: string;
  calls: { name: string; arguments: string }[];
}

/** @param cuts lengths of the pieces; what is left comes in one */
export function readReply(
  format: ChatFormat,
  options: ReplyOptions,
  reply: string,
  cuts: readonly number[] = [],
): Read {
  const reader = createReplyReader(format, options);
  const read: Read = { reasoning: '', content: '', calls: [] };
  const add = (events: ReplyEvent[]) => {
    for (const event of events) {
      if (event.type === 'call') read.calls[event.index] = { name: event.name, arguments: '' };
      else if (event.type === 'arguments') read.calls[event.index]!.arguments += event.text;
      else read[event.type] += event.text;
    }
  };
  let at = 0;
  for (const cut of cuts) {
    add(reader.push(reply.slice(at, at + cut)));
    at += cut;
  }
  add(reader.push(reply.slice(at)));
  add(reader.end());
  return read;
}
