// Calls that are JSON objects: {"name": …, "arguments": …}, alone or in a list.
import type { JsonBody, ToolDefinition } from '../format.ts';
import { type CallContext, isId, maxUnannounced } from './call-context.ts';
import { Input, type Reading } from './input.ts';
import { json, readValue, type Sink } from './value.ts';

/** As models of other families write them; a model was trained on more than one. */
const argumentFields = ['arguments', 'parameters'];

/** Reads one call, or a list of them. @returns whether to go on behind it: it was whole, and calls */
export function* readJsonCalls(context: CallContext, body: JsonBody): Reading<boolean> {
  const { input } = context;
  yield* input.skipSpace();
  if ((yield* input.peek()) !== '[') return yield* readJsonCall(context, body);
  input.skip(1);
  for (;;) {
    yield* input.skipSpace();
    if (!(yield* readJsonCall(context, body))) return false;
    yield* input.skipSpace();
    if (yield* input.accept([']'])) return true;
    if (!context.mayCall || !(yield* input.accept([',']))) return false;
  }
}

/** What has been read of a call. */
interface Draft {
  tool?: ToolDefinition;
  /** Arguments that came before the name. */
  arguments?: string;
  /** Fields in front of the arguments that no format has. */
  readonly beside: string[];
  sink?: Sink;
}

function* readJsonCall(context: CallContext, body: JsonBody): Reading<boolean> {
  const draft: Draft = { beside: [] };
  if (!(yield* readFields(context, body, draft, 0)) || !draft.tool) return false;
  if (draft.sink) context.input.mark();
  // A field that no format has may be the arguments under a wrong key: such a call must not be made without them.
  else if (draft.arguments === undefined && draft.beside.length > 0) return false;
  else context.announce(draft.tool.function.name, draft.beside)(draft.arguments ?? '{}');
  return true;
}

function* readFields(context: CallContext, body: JsonBody, draft: Draft, depth: number): Reading<boolean> {
  const { input } = context;
  if (!(yield* input.accept(['{']))) return false;
  for (;;) {
    yield* input.skipSpace();
    if (yield* input.accept(['}'])) return true;
    const start = input.sinceMark.length;
    if (start > maxUnannounced) return false;
    const key = yield* readShortText(input);
    if (key === undefined) return false;
    yield* input.skipSpace();
    if (!(yield* input.accept([':']))) return false;
    yield* input.skipSpace();
    const good =
      key === body.within && depth === 0
        ? yield* readFields(context, body, draft, 1)
        : yield* readField(context, body, draft, key, start);
    if (!good) return false;
    yield* input.skipSpace();
    if (yield* input.accept(['}'])) return true;
    if (!(yield* input.accept([',']))) return false;
  }
}

/** @param start how far behind the mark the field begins */
function* readField(context: CallContext, body: JsonBody, draft: Draft, key: string, start: number): Reading<boolean> {
  const { input } = context;
  if (body.name === undefined) {
    draft.tool ??= context.tool(key);
    return draft.tool?.function.name === key && !draft.sink ? yield* readArguments(context, draft) : false;
  }
  if (key === body.name && !draft.tool) {
    const name = yield* readShortText(input);
    draft.tool = name === undefined ? undefined : context.tool(name);
    return draft.tool !== undefined;
  }
  const isArguments = key === body.arguments || argumentFields.includes(key);
  if (isArguments && !draft.sink && draft.arguments === undefined) return yield* readArguments(context, draft);
  const value = yield* readShortValue(input);
  if (value === undefined) return false;
  const field = input.sinceMark.slice(start);
  if (saysNothing(body, key, value)) return true;
  if (!draft.sink) draft.beside.push(field);
  else {
    context.tellBeside([field]);
    input.mark();
  }
  return true;
}

/** An id, say. */
function saysNothing({ before, after }: JsonBody, key: string, value: string): boolean {
  const given: unknown = JSON.parse(value);
  if (key === 'type' && given === 'function') return true;
  if (![...before, ...after, 'id', 'index'].includes(key)) return false;
  return given === null || typeof given === 'number' || (typeof given === 'string' && isId(given));
}

/** Streams them where the name is known, else keeps them. */
function* readArguments(context: CallContext, draft: Draft): Reading<boolean> {
  const { input } = context;
  const first = yield* input.peek();
  if (first === '{' && draft.tool) {
    draft.sink = context.announce(draft.tool.function.name, draft.beside);
    return yield* readValue(input, draft.sink);
  }
  const text = yield* readShortValue(input);
  draft.arguments = text === undefined ? undefined : objectText(text);
  return draft.arguments !== undefined;
}

/** A value as JSON; undefined where it is none, or long. */
function* readShortValue(input: Input): Reading<string | undefined> {
  let text = '';
  const reading = readValue(input, (piece) => (text += piece));
  for (let step = reading.next(); ; step = reading.next()) {
    if (text.length > maxUnannounced) return undefined;
    if (step.done) return step.value ? text : undefined;
    yield;
  }
}

/** The arguments of a whole value: an object, the text of one, or nothing. */
export function objectText(text: string): string | undefined {
  const value: unknown = JSON.parse(text);
  if (value === null) return '{}';
  if (typeof value !== 'string') return text.startsWith('{') ? text : undefined;
  const input = new Input();
  input.feed(value.trim() || '{}');
  input.end();
  let inner = '';
  const step = readValue(input, (piece) => (inner += piece), json).next();
  return step.done && step.value && inner.startsWith('{') && input.ready === '' ? inner : undefined;
}

const maxName = 512;

function* readShortText(input: Input): Reading<string | undefined> {
  const quote = yield* input.peek();
  if (quote !== '"' && quote !== "'") return undefined;
  input.skip(1);
  const text = yield* input.until((character) => character === quote, maxName);
  if (text === undefined || (yield* input.peek()) === undefined) return undefined;
  input.skip(1);
  return text;
}
