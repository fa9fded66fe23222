// One call as grammar: the marks of the format around arguments that are valid under the tool's schema.
import { QuernError } from '@quern/errors';
import type { GrammarSource } from '@quern/grammar';
import type { CallFormat, JsonBody, NamedBody, ParametersBody, ToolDefinition } from '../format.ts';
import { keyHole } from '../format.ts';
import { type JsonType, parameterTypes, record, referenced } from '../tools.ts';
import { hole, holedSource, markSource, oneOf, optional, sequence, space, text } from './marks.ts';

/** The body alone; what is around it is the same for all tools. */
export function bodyGrammar(calls: CallFormat, tool: ToolDefinition): GrammarSource {
  const { body } = calls;
  switch (body.kind) {
    case 'json':
      return jsonBody(body, tool);
    case 'named':
      return namedBody(body, tool);
    case 'python':
      return sequence(text(tool.function.name), text('('), pythonArguments(tool), text(')'));
    case 'parameters':
      return parametersBody(body, tool);
  }
}

/**
 * The schema of a tool's arguments: an object, whether it says so or not.
 * @throws QuernError `schema-unsupported` where it says that they are something else, which no reader takes for a call
 */
export function argumentsSchema({ function: { parameters } }: ToolDefinition): Record<string, unknown> {
  const schema = record(parameters) ?? {};
  if (schema.type !== undefined) {
    const types = [schema.type].flat();
    if (!types.includes('object')) {
      throw new QuernError('schema-unsupported', `Its arguments are ${types.join(' or ')} by its schema.`, {
        remedy: 'The arguments of a call are an object: say "type": "object".',
      });
    }
    return types.length === 1 ? schema : { ...schema, type: 'object' };
  }
  const says = ['$ref', 'anyOf', 'oneOf', 'allOf', 'enum', 'const'].some((keyword) => keyword in schema);
  return says ? schema : { type: 'object', ...schema };
}

const argumentsSource = (tool: ToolDefinition): GrammarSource => ({
  kind: 'json-schema',
  schema: argumentsSchema(tool),
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

interface Parameter {
  readonly name: string;
  readonly schema: unknown;
  readonly required: boolean;
}

/** @throws QuernError `schema-unsupported` where the schema does not list them */
function parametersOf(tool: ToolDefinition): { root: Record<string, unknown>; at: string; list: Parameter[] } {
  const root = argumentsSchema(tool);
  const at = typeof root.$ref === 'string' ? root.$ref.replace(/^#/, '') : '';
  const schema = record(at ? referenced(`#${at}`, root) : root);
  const keyword = ['anyOf', 'oneOf', 'allOf', 'enum', 'const'].find((one) => schema && one in schema);
  if (!schema || keyword) {
    const what = `The JSON schema cannot be enforced: ${keyword ?? '$ref'} at # where a list of properties is needed.`;
    throw new QuernError('schema-unsupported', what, { remedy: 'List the properties at the top of the schema.' });
  }
  const required = Array.isArray(schema.required) ? schema.required : [];
  const properties = Object.entries(record(schema.properties) ?? {});
  const list = properties.map(([name, one]) => ({ name, schema: one, required: required.includes(name) }));
  return { root, at, list };
}

const pointerTo = (at: string, name: string): string =>
  `${at}/properties/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;

function pythonArguments(tool: ToolDefinition): GrammarSource {
  const { root, at, list } = parametersOf(tool);
  const written = ({ name }: Parameter): GrammarSource => {
    const value: GrammarSource = { kind: 'json-schema', schema: root, at: pointerTo(at, name), spelling: 'python' };
    return sequence(text(name), text('='), value);
  };
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
  const { root, at, list } = parametersOf(tool);
  const parameters = list.map((one): GrammarSource => {
    const close = body.valueClose.replace(keyHole, one.name);
    const value: GrammarSource = {
      kind: 'bare-value',
      schema: root,
      at: pointerTo(at, one.name),
      until: [close.trim()],
      spelling: body.spelling,
    };
    const front = sequence(
      markSource(body.keyOpen),
      text(one.name),
      valueOpening(body, parameterTypes(tool, one.name)),
    );
    const written = sequence(front, value, spaceBefore(close), markSource(close.trim()), space);
    return one.required ? written : optional(written);
  });
  return sequence(holedSource(body.beforeName), text(tool.function.name), holedSource(body.afterName), ...parameters);
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
