// Replies of gpt-oss (OpenAI's harmony format, described in the openai/harmony repository): messages with a header that names
// a channel and a recipient, `<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>{…}<|call|>`.
// The prompt ends behind `<|start|>assistant`, in the middle of a header.
import { type CallContext, maxUnannounced } from './call-context.ts';
import type { EventList } from './events.ts';
import type { Input, Reading } from './input.ts';
import { Marks } from './marks.ts';
import { readValue } from './value.ts';

const message = '<|message|>';
const ends = ['<|end|>', '<|call|>', '<|return|>'];
const begins = ['<|start|>', '<|channel|>'];
const bodyMarks = new Marks([...ends, ...begins]);
const headerBegins = [...begins, ' to=', 'to='];
/** What begins or ends another message. */
const headerEnds = [...ends, '<|start|>'];
/** All that a header says in the format; anything else is the model's own. */
const headerParts =
  /<\|start\|>(?:\s*assistant\b)?|<\|channel\|>\s*(?:analysis|commentary|final)\b|\bto=[^\s<]+|<\|constrain\|>|\b(?:json|code)\b/g;

export function* readHarmony(input: Input, events: EventList, context: CallContext): Reading {
  events.beginText(true);
  for (;;) {
    const begin = yield* input.sees(headerBegins);
    if ((yield* input.peek()) === undefined) return;
    if (begin === undefined) yield* readBody(input, events, 'content');
    else yield* readMessage(input, events, context, begin);
  }
}

function* readMessage(input: Input, events: EventList, context: CallContext, begin: string): Reading {
  input.mark();
  input.skip(begin.length);
  const rest = yield* readHeader(input);
  if (rest === undefined) return context.giveBack();
  const header = begin + rest;
  const beside = [header.replace(headerParts, ' ').trim()];
  const channel = /<\|channel\|>\s*(\w+)/.exec(header)?.[1];
  const recipient = /\bto=(?:functions\.)?([^\s<]+)/.exec(header)?.[1];
  if (recipient !== undefined && recipient !== 'assistant') {
    yield* readCall(input, events, context, recipient, beside);
    return;
  }
  input.unmark();
  context.tellBeside(beside);
  events.beginText();
  events.inReasoning = channel === 'analysis';
  yield* readBody(input, events, events.inReasoning ? 'reasoning' : 'content');
  events.inReasoning = false;
}

/** @param beside what else the header says */
function* readCall(
  input: Input,
  events: EventList,
  context: CallContext,
  name: string,
  beside: readonly string[],
): Reading {
  yield* input.skipSpace();
  const isCall = context.mayCall && context.tool(name) !== undefined && (yield* input.peek()) === '{';
  if (!isCall) {
    context.giveBack();
    yield* readBody(input, events, 'content');
    return;
  }
  const whole = yield* readValue(input, context.announce(name, beside));
  if (!whole) return context.giveBack();
  input.unmark();
  yield* input.skipSpace();
  yield* input.accept(ends);
}

/** @returns what stands before the message; undefined where no message comes */
function* readHeader(input: Input): Reading<string | undefined> {
  let header = '';
  while (header.length < maxUnannounced) {
    const next = yield* input.peek();
    if (next === undefined) return undefined;
    if (next === '<' && (yield* input.accept([message]))) return header;
    if (next === '<' && (yield* input.sees(headerEnds))) return undefined;
    header += next;
    input.skip(1);
  }
  return undefined;
}

function* readBody(input: Input, events: EventList, type: 'reasoning' | 'content'): Reading {
  for (;;) {
    const text = input.ready;
    const found = bodyMarks.find(text, input.ended);
    events.text(type, input.take(found?.at ?? (input.ended ? text.length : bodyMarks.before(text))));
    if (found) {
      if (ends.includes(found.mark)) input.skip(found.mark.length);
      return;
    }
    if (input.ended) return void (type === 'content' && events.end(type));
    yield;
  }
}
