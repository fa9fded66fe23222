// Calls that write the name first: with its arguments as one object behind it, or as Python would.
import type { NamedBody, PythonBody } from '../format.ts';
import { type CallContext, isId, readMark } from './call-context.ts';
import type { Reading } from './input.ts';
import { readValue } from './value.ts';

/** @returns whether to go on behind it: it was whole, and a call */
export function* readNamedCall(context: CallContext, body: NamedBody): Reading<boolean> {
  const { input } = context;
  const before = yield* readMark(input, body.beforeName);
  const name = before && (yield* context.name());
  const after = name === undefined ? undefined : yield* readMark(input, body.afterName);
  if (!before || name === undefined || !after) return false;
  yield* input.skipSpace();
  if ((yield* input.peek()) !== '{') return false;
  const beside = [...before, ...after].filter((hole) => !isId(hole));
  return yield* readValue(input, context.announce(name, beside), body.notation);
}

/** One call, or a list of them. */
export function* readPythonCalls(context: CallContext, body: PythonBody): Reading<boolean> {
  const { input } = context;
  yield* input.skipSpace();
  const list = body.list && (yield* input.accept(['['])) !== undefined;
  for (;;) {
    yield* input.skipSpace();
    if (!(yield* readPythonCall(context))) return false;
    if (!list) return true;
    yield* input.skipSpace();
    if (yield* input.accept([']'])) return true;
    if (!context.mayCall || !(yield* input.accept([',']))) return false;
  }
}

const maxKey = 512;

function* readPythonCall(context: CallContext): Reading<boolean> {
  const { input } = context;
  const name = yield* context.name();
  if (name === undefined || !(yield* input.accept(['(']))) return false;
  return yield* readPythonArguments(context, name);
}

/** Behind the parenthesis that opens them. */
export function* readPythonArguments(context: CallContext, name: string): Reading<boolean> {
  const { input } = context;
  const sink = context.announce(name);
  sink('{');
  for (let first = true; ; first = false) {
    yield* input.skipSpace();
    if (yield* input.accept([')'])) break;
    const key = yield* input.until((character) => !/[\w$-]/.test(character), maxKey);
    yield* input.skipSpace();
    if (!key || !(yield* input.accept(['=']))) return false;
    sink(`${first ? '' : ', '}${JSON.stringify(key)}: `);
    yield* input.skipSpace();
    if (!(yield* readValue(input, sink))) return false;
    yield* input.skipSpace();
    if (yield* input.accept([')'])) break;
    // What follows a value in a name's place is one, whether a comma stands there or not.
    yield* input.accept([',']);
  }
  sink('}');
  return true;
}
