// Calls that are JSON objects: {"name": …, "arguments": …}, alone or in a list.
import type { JsonBody, ToolDefinition } from '../format.ts';
import { type CallContext, maxUnannounced } from './call-context.ts';
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
    if (!context.mayCall) return false;
    input.mark();
    if (!(yield* input.accept([',']))) {
      context.giveBack();
      return false;
    }
  }
}

/** What has been read of a call. */
interface Draft {
  tool?: ToolDefinition;
  /** Arguments that came before the name. */
  arguments?: string;
  sink?: Sink;
}

function* readJsonCall(context: CallContext, body: JsonBody): Reading<boolean> {
  const draft: Draft = {};
  const whole = yield* readFields(context, body, draft, 0);
  if (draft.sink) return whole;
  if (!whole || !draft.tool) {
    context.giveBack();
    return false;
  }
  context.announce(draft.tool.function.name)(draft.arguments ?? '{}');
  return true;
}

function* readFields(context: CallContext, body: JsonBody, draft: Draft, depth: number): Reading<boolean> {
  const { input } = context;
  if (!(yield* input.accept(['{']))) return false;
  for (;;) {
    yield* input.skipSpace();
    if (yield* input.accept(['}'])) return true;
    const key = yield* readShortText(input);
    if (key === undefined) return false;
    yield* input.skipSpace();
    if (!(yield* input.accept([':']))) return false;
    yield* input.skipSpace();
    const good =
      key === body.within && depth === 0
        ? yield* readFields(context, body, draft, 1)
        : yield* readField(context, body, draft, key);
    if (!good) return false;
    yield* input.skipSpace();
    if (yield* input.accept(['}'])) return true;
    if (!(yield* input.accept([',']))) return false;
  }
}

function* readField(context: CallContext, body: JsonBody, draft: Draft, key: string): Reading<boolean> {
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
  if (isArguments && !draft.sink) return yield* readArguments(context, draft);
  // An id, say.
  let length = 0;
  const whole = yield* readValue(input, (piece) => (length += piece.length));
  return whole && (draft.sink !== undefined || length <= maxUnannounced);
}

/** Streams them where the name is known, else keeps them. */
function* readArguments(context: CallContext, draft: Draft): Reading<boolean> {
  const { input } = context;
  const first = yield* input.peek();
  if (first === '{' && draft.tool) {
    draft.sink = context.announce(draft.tool.function.name);
    return yield* readValue(input, draft.sink);
  }
  let text = '';
  const reading = readValue(input, (piece) => (text += piece));
  for (let step = reading.next(); ; step = reading.next()) {
    if (text.length > maxUnannounced) return false;
    if (step.done) {
      if (!step.value) return false;
      break;
    }
    yield;
  }
  draft.arguments = objectText(text);
  return draft.arguments !== undefined;
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
  return step.done && step.value && inner.startsWith('{') ? inner : undefined;
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
