// One call as grammar: the marks of the format around arguments that are valid under the tool's schema.
import type { GrammarSource } from '@quern/grammar';
import type { CallFormat, JsonBody, NamedBody, ParametersBody, ToolDefinition } from '../format.ts';
import { valueCloseOf } from '../format.ts';
import { type JsonType, parameterTypes } from '../tools.ts';
import { argumentsSchema } from './arguments-schema.ts';
import { hole, holedSource, markSource, oneOf, optional, sequence, space, text } from './marks.ts';
import { type Parameter, parameterLists } from './parameter-lists.ts';

/** The body alone; what is around it is the same for all tools. */
export function bodyGrammar(calls: CallFormat, tool: ToolDefinition): GrammarSource {
  const { body } = calls;
  switch (body.kind) {
    case 'json':
      return jsonBody(body, tool);
    case 'named':
      return namedBody(body, tool);
    case 'python':
      return sequence(text(tool.function.name), text('('), oneOf(parameterLists(tool).map(pythonArguments)), text(')'));
    case 'parameters':
      return parametersBody(body, tool);
  }
}

export const argumentsSource = (tool: ToolDefinition): GrammarSource => ({
  kind: 'json-schema',
  schema: argumentsSchema(tool),
  closed: true,
});

function jsonBody(body: JsonBody, tool: ToolDefinition): GrammarSource {
  const name = JSON.stringify(tool.function.name);
  if (body.name === undefined) return jsonObject([[name, argumentsSource(tool)]]);
  const id = sequence(text('"'), hole, text('"'));
  const call = jsonObject(
    [
      ...body.before.map((field): Field => [JSON.stringify(field), id]),
      [JSON.stringify(body.name), text(name)],
      [JSON.stringify(body.arguments), argumentsSource(tool)],
    ],
    body.after.map((field) => [JSON.stringify(field), id]),
  );
  return body.within === undefined ? call : jsonObject([[JSON.stringify(body.within), call]]);
}

type Field = [key: string, value: GrammarSource];

/** @param more fields that may follow */
const jsonObject = (fields: readonly Field[], more: readonly Field[] = []): GrammarSource => {
  const written = ([key, value]: Field) => sequence(space, text(key), text(':'), space, value);
  return sequence(
    text('{'),
    ...fields.flatMap((field, i) => [i > 0 ? text(',') : undefined, written(field)]),
    ...more.map((field) => optional(sequence(text(','), written(field)))),
    space,
    text('}'),
  );
};

function namedBody(body: NamedBody, tool: ToolDefinition): GrammarSource {
  const { quote, bareKeys } = body.notation;
  // Objects in another notation than JSON's are held to be objects, not to the schema: nothing can be said of their inside.
  const free: GrammarSource = sequence(text('{'), { kind: 'free', until: ['}<'] }, text('}'));
  return sequence(
    holedSource(body.beforeName),
    text(tool.function.name),
    holedSource(body.afterName),
    bareKeys || quote !== undefined ? free : argumentsSource(tool),
  );
}

function pythonArguments(list: readonly Parameter[]): GrammarSource {
  const written = ({ name, value }: Parameter): GrammarSource =>
    sequence(text(name), text('='), { kind: 'json-schema', ...value, closed: true, spelling: 'python' });
  const following = (one: Parameter): GrammarSource => sequence(text(','), space, written(one));
  // Those that must be there come first, so that a comma is never in doubt.
  const needed = list.filter(({ required }) => required);
  const others = list.filter(({ required }) => !required);
  const rest = (from: number) => others.slice(from).map((one) => optional(following(one)));
  if (needed.length > 0) return sequence(written(needed[0]!), ...needed.slice(1).map(following), ...rest(0));
  const beginnings = others.map((one, i) => sequence(written(one), ...rest(i + 1)));
  return beginnings.length > 0 ? optional(oneOf(beginnings)) : sequence();
}

function parametersBody(body: ParametersBody, tool: ToolDefinition): GrammarSource {
  const written = ({ name, required, value }: Parameter): GrammarSource => {
    const close = valueCloseOf(body, name);
    const front = sequence(markSource(body.keyOpen), text(name), valueOpening(body, parameterTypes(tool, name)));
    const bare: GrammarSource = {
      ...{ kind: 'bare-value', ...value, closed: true },
      ...{ until: [close.trim()], spelling: body.spelling },
    };
    const one = sequence(front, bare, spaceBefore(close), markSource(close.trim()), space);
    return required ? one : optional(one);
  };
  return sequence(
    holedSource(body.beforeName),
    text(tool.function.name),
    holedSource(body.afterName),
    oneOf(parameterLists(tool).map((list) => sequence(...list.map(written)))),
  );
}

/** Where a value may be a text or something else, what the hole says cannot be tied to what the value is: either is taken. */
function valueOpening({ valueOpen, kinds }: ParametersBody, types: ReadonlySet<JsonType> | undefined): GrammarSource {
  if (!kinds) return holedSource(valueOpen);
  const others = kinds.all.filter((kind) => kind !== kinds.text);
  const may = types && !types.has('string') ? others : types?.size === 1 ? [kinds.text] : kinds.all;
  return holedSource(valueOpen, oneOf(may.map(text)));
}

function spaceBefore(close: string): GrammarSource | undefined {
  const front = close.slice(0, close.indexOf(close.trim()));
  return front === '' ? undefined : text(front);
}
