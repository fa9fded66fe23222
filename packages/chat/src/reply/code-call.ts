// Calls in code: Llama 3 and functionary 3.1 write Python behind `<|python_tag|>`, either a call of a tool,
// `brave_search.call(query="…")`, or a program for the tool that runs such.
import type { ToolDefinition } from '../format.ts';
import { record } from '../tools.ts';
import type { CallContext } from './call-context.ts';
import type { Reading } from './input.ts';
import { readPythonArguments } from './named-call.ts';
import { jsonCharacters } from './text-value.ts';

const interpreters = ['python', 'ipython', 'code_interpreter'];

/** @returns whether it was a call */
export function* readCodeCall(context: CallContext): Reading<boolean> {
  const { input } = context;
  const behind = '.call';
  const called = yield* input.sees(context.names.map((name) => `${name}${behind}(`));
  if (called !== undefined) {
    input.skip(called.length);
    return yield* readPythonArguments(context, called.slice(0, -behind.length - 1));
  }
  const tool = interpreters.map((name) => context.tool(name)).find((one) => one !== undefined);
  const parameter = tool && textParameter(tool);
  if (!tool || parameter === undefined || (yield* input.peek()) === undefined) return false;
  const sink = context.announce(tool.function.name);
  sink(`{${JSON.stringify(parameter)}: "`);
  for (;;) {
    const text = input.ready;
    sink(jsonCharacters(input.take(text.length)));
    if (input.ended) break;
    yield;
  }
  sink('"}');
  return true;
}

/** Where code goes: a tool for it takes one text. */
export function textParameter({ function: { parameters } }: ToolDefinition): string | undefined {
  const properties = Object.entries(record(record(parameters)?.properties) ?? {});
  const texts = properties.filter(([, schema]) => record(schema)?.type === 'string');
  return texts.length === 1 ? texts[0]![0] : texts.find(([name]) => name === 'code')?.[0];
}
