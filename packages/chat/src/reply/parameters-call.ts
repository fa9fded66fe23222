// Calls that write their parameters one by one between marks: texts as they are, other values as JSON or Python.
import { keyHole, type ParametersBody, type ToolDefinition } from '../format.ts';
import { parameterTypes, typeOf } from '../tools.ts';
import { type CallContext, readMark } from './call-context.ts';
import { Input, isSpace, type Reading } from './input.ts';
import { Marks } from './marks.ts';
import { tagsOf } from './openings.ts';
import { jsonCharacters } from './text-value.ts';
import { readValue, type Sink } from './value.ts';

const maxKey = 512;

/**
 * @param close what ends the call
 * @returns whether to go on behind it
 */
export function* readParametersCall(context: CallContext, body: ParametersBody, close: string): Reading<boolean> {
  const { input } = context;
  const name = (yield* readMark(input, body.beforeName)) && (yield* context.name());
  if (name === undefined || (yield* readMark(input, body.afterName)) === undefined) {
    context.giveBack();
    return false;
  }
  const tool = context.tool(name)!;
  const [end = ''] = tagsOf(close);
  const ends = [body.keyOpen.trim(), end].filter((text) => text !== '');
  yield* input.skipSpace();
  const first = yield* input.accept(ends);
  if (first === undefined) {
    context.giveBack();
    return false;
  }
  const sink = context.announce(name);
  sink('{');
  for (let at = first, many = false; at === body.keyOpen.trim(); many = true) {
    if (!(yield* readParameter(input, body, tool, many, sink))) return false;
    yield* input.skipSpace();
    at = (yield* input.accept(ends)) ?? '';
  }
  sink('}');
  return true;
}

function* readParameter(
  input: Input,
  body: ParametersBody,
  tool: ToolDefinition,
  many: boolean,
  sink: Sink,
): Reading<boolean> {
  const end = body.valueOpen[0]![0]!;
  yield* input.skipSpace();
  const key = yield* input.until((character) => character === end || (isSpace(end) && isSpace(character)), maxKey);
  if (!key) return false;
  // White space behind the last mark is the value's own, but for what the template writes there.
  const last = body.valueOpen.at(-1)!;
  const holes = yield* readMark(input, [...body.valueOpen.slice(0, -1), last.trimEnd()]);
  if (holes === undefined) return false;
  yield* skipExactly(input, trailingSpace(last));
  sink(`${many ? ', ' : ''}${JSON.stringify(key.trim())}: `);
  const close = body.valueClose.replace(keyHole, key);
  const types = parameterTypes(tool, key.trim());
  const told = body.textKind === undefined ? undefined : holes[0] === body.textKind;
  if (told ?? (types?.size === 1 && types.has('string'))) {
    sink('"');
    if (!(yield* readRaw(input, close, (text) => sink(jsonCharacters(text))))) return false;
    sink('"');
    return true;
  }
  let raw = '';
  if (!(yield* readRaw(input, close, (text) => (raw += text)))) return false;
  sink(jsonOf(raw, told === undefined && (types?.has('string') ?? true)));
  return true;
}

/** @param maybeText what reads as a text in quotation marks is one that has them */
function jsonOf(raw: string, maybeText: boolean): string {
  const input = new Input();
  input.feed(raw.trim());
  input.end();
  let text = '';
  const step = readValue(input, (piece) => (text += piece)).next();
  const whole = step.done && step.value && input.ready === '';
  if (!whole || (maybeText && typeOf(JSON.parse(text)) === 'string')) return JSON.stringify(raw);
  return text;
}

/** All up to a mark, which is read too. White space in front of the mark that the template writes is not the value's. */
function* readRaw(input: Input, close: string, sink: (text: string) => void): Reading<boolean> {
  const mark = close.trim();
  const space = close.slice(0, close.indexOf(mark));
  const marks = new Marks([space + mark, mark]);
  for (;;) {
    const text = input.ready;
    const found = marks.find(text, input.ended);
    if (found) {
      sink(input.take(found.at));
      input.skip(found.mark.length);
      return true;
    }
    sink(input.take(input.ended ? text.length : marks.before(text)));
    if (input.ended) return false;
    yield;
  }
}

const trailingSpace = (text: string): string => text.slice(text.trimEnd().length);

function* skipExactly(input: Input, space: string): Reading {
  for (const character of space) {
    if ((yield* input.peek()) !== character) return;
    input.skip(1);
  }
}
