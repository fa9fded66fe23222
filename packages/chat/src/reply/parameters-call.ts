// Calls that write their parameters one by one between marks: texts as they are, other values as JSON or Python.
import {
  type CallFormat,
  cdataClose,
  cdataOpen,
  type ParametersBody,
  type ToolDefinition,
  valueCloseOf,
} from '../format.ts';
import { parameterTypes } from '../tools.ts';
import { bareJson, nestedJson } from './bare-value.ts';
import { type CallContext, isId, readMark } from './call-context.ts';
import { type Input, isSpace, type Reading } from './input.ts';
import { Marks } from './marks.ts';
import { endOfParameters, tagsOf } from './openings.ts';
import { jsonCharacters } from './text-value.ts';
import type { Sink } from './value.ts';

const maxKey = 512;

/** @returns whether to go on behind it */
export function* readParametersCall(context: CallContext, body: ParametersBody, calls: CallFormat): Reading<boolean> {
  const { input } = context;
  const before = yield* readMark(input, body.beforeName);
  const name = before && (yield* context.name());
  const after = name === undefined ? undefined : yield* readMark(input, body.afterName);
  if (!before || name === undefined || !after) return false;
  const end = endOfParameters(body, calls.close);
  const begin = body.keyOpen.trim();
  yield* input.skipSpace();
  // Where calls have no end of their own, a call is over when no parameter follows.
  const others = end === '' ? [calls.open, calls.section.close].flatMap((mark) => tagsOf(mark).slice(0, 1)) : [];
  if (end !== '' && (yield* input.sees([begin, end])) === undefined) return false;
  const sink = context.announce(
    name,
    [...before, ...after].filter((hole) => !isId(hole)),
  );
  sink('{');
  const kinds: string[] = [];
  const call: Call = { body, tool: context.tool(name)!, sink, kinds };
  let whole = true;
  const another = function* (): Reading<boolean> {
    return (yield* input.sees(others)) === undefined && (yield* input.accept([begin, end])) === begin;
  };
  for (let many = false; whole && (yield* another()); many = true) {
    whole = yield* readParameter(input, call, many);
    if (whole) yield* input.skipSpace();
  }
  if (whole) sink('}');
  context.tellBeside(kinds);
  return whole;
}

interface Call {
  readonly body: ParametersBody;
  readonly tool: ToolDefinition;
  readonly sink: Sink;
  /** What the model says that values are, and the template never does. */
  readonly kinds: string[];
}

function* readParameter(input: Input, { body, tool, sink, kinds }: Call, many: boolean): Reading<boolean> {
  const end = body.valueOpen[0]![0]!;
  // White space that parts two words is no matter of taste.
  if (isSpace(body.keyOpen.at(-1)!) && !isSpace((yield* input.peek()) ?? '')) return false;
  yield* input.skipSpace();
  const key = yield* input.until((character) => character === end || (isSpace(end) && isSpace(character)), maxKey);
  if (!key) return false;
  // White space behind the last mark is the value's own, but for what the template writes there.
  const last = body.valueOpen.at(-1)!;
  const holes = yield* readMark(input, [...body.valueOpen.slice(0, -1), last.trimEnd()]);
  if (holes === undefined) return false;
  yield* skipExactly(input, trailingSpace(last));
  sink(`${many ? ', ' : ''}${JSON.stringify(key.trim())}: `);
  const cdata = body.cdata && (yield* input.accept([cdataOpen])) !== undefined;
  const close = (cdata ? cdataClose : '') + valueCloseOf(body, key);
  const types = parameterTypes(tool, key.trim());
  const told = body.kinds && holes[0] === body.kinds.text;
  if (body.kinds && !body.kinds.all.includes(holes[0]!)) kinds.push(holes[0]!);
  if (told ?? (cdata || (types?.size === 1 && types.has('string')))) {
    sink('"');
    if (!(yield* readRaw(input, close, (text) => sink(jsonCharacters(text))))) return false;
    sink('"');
    return true;
  }
  let raw = '';
  const whole = yield* readRaw(input, close, (text) => {
    raw += text;
    input.mark();
  });
  if (!whole) {
    sink(raw);
    return false;
  }
  const nested = told === undefined ? nestedJson(raw, body, tool, key.trim(), types) : undefined;
  sink(nested ?? bareJson(raw, told === undefined && (types?.has('string') ?? true)));
  return true;
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
