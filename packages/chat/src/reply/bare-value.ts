// A value between marks, read as a whole: JSON or Python, a text as it is, or tags in it (MiniMax M3):
// `<deep><a>1</a><list><item>x</item></list></deep>`, each tag marked as parameters are.
import { type ParametersBody, type ToolDefinition, valueCloseOf } from '../format.ts';
import { type JsonType, parameterTypes, record, referenced, typeOf } from '../tools.ts';
import { Input } from './input.ts';
import { readValue } from './value.ts';

/** @param maybeText what reads as a text in quotation marks is one that has them */
export function bareJson(raw: string, maybeText: boolean): string {
  const input = new Input();
  input.feed(raw.trim());
  input.end();
  let text = '';
  const step = readValue(input, (piece) => (text += piece)).next();
  const whole = step.done && step.value && input.ready === '';
  if (!whole || (maybeText && typeOf(JSON.parse(text)) === 'string')) return JSON.stringify(raw);
  return text;
}

type Types = ReadonlySet<JsonType> | undefined;

const maxDepth = 50;

/** Undefined where the value is not written in tags. A list's tags are all `item`, unless the schema says that it is an object. */
export function nestedJson(
  raw: string,
  body: ParametersBody,
  tool: ToolDefinition,
  parameter: string,
  types: Types,
  depth = 0,
): string | undefined {
  const mayNest = types ? types.has('object') || types.has('array') : body.keyOpen.trim().length > 1;
  if (!mayNest || body.valueOpen.length > 1 || depth > maxDepth) return undefined;
  if (raw.trim() === '') return types?.has('object') ? '{}' : types?.has('array') ? '[]' : undefined;
  const entries = tagged(raw.trim(), body);
  if (!entries) return undefined;
  const isList =
    types?.has('array') && !types.has('object')
      ? true
      : !types?.has('object') && entries.every(([key]) => key === 'item');
  const inner = inside(tool, parameter, isList);
  const values = entries.map(([key, text]) => {
    const kinds = parameterTypes(inner, key);
    if (kinds?.size === 1 && kinds.has('string')) return JSON.stringify(text);
    return nestedJson(text, body, inner, key, kinds, depth + 1) ?? bareJson(text, kinds?.has('string') ?? true);
  });
  if (isList) return `[${values.join(', ')}]`;
  return `{${values.map((value, i) => `${JSON.stringify(entries[i]![0])}: ${value}`).join(', ')}}`;
}

/** What stands between tags that follow each other; undefined where anything else does. */
function tagged(text: string, body: ParametersBody): [key: string, text: string][] | undefined {
  const [open, valueOpen] = [body.keyOpen.trim(), body.valueOpen[0]!.trim()];
  const entries: [string, string][] = [];
  for (let at = 0; at < text.length; ) {
    const keyEnd = text.startsWith(open, at) ? text.indexOf(valueOpen, at + open.length) : -1;
    if (keyEnd < 0) return undefined;
    const key = text.slice(at + open.length, keyEnd);
    const close = valueCloseOf(body, key).trim();
    const end = closing(text, keyEnd + valueOpen.length, open + key + valueOpen, close);
    if (key === '' || end < 0) return undefined;
    entries.push([key, text.slice(keyEnd + valueOpen.length, end)]);
    at = end + close.length;
    while (/\s/.test(text[at] ?? '')) at++;
  }
  return entries;
}

/** Where what was opened is closed, past others of the same name inside. */
function closing(text: string, from: number, open: string, close: string): number {
  let at = from;
  for (let depth = 1; ; ) {
    const [opened, closed] = [text.indexOf(open, at), text.indexOf(close, at)];
    if (closed < 0 || (opened < 0 && depth === 1) || (depth === 1 && closed < opened)) return closed;
    const inner = opened >= 0 && opened < closed;
    depth += inner ? 1 : -1;
    at = inner ? opened + open.length : closed + close.length;
  }
}

/** A tool whose parameters are those of one of another's. */
function inside(tool: ToolDefinition, parameter: string, isList: boolean): ToolDefinition {
  const root = record(tool.function.parameters) ?? {};
  const named = record(record(root.properties)?.[parameter] ?? root.additionalProperties) ?? {};
  const schema = typeof named.$ref === 'string' ? (record(referenced(named.$ref, root)) ?? {}) : named;
  const { properties, additionalProperties } = schema;
  const of = isList ? { properties: { item: schema.items ?? {} } } : { properties, additionalProperties };
  // Pointers go on to point into the whole.
  const { $defs, definitions } = root;
  return { type: 'function', function: { name: tool.function.name, parameters: { $defs, definitions, ...of } } };
}
