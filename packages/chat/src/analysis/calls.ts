// How a template writes calls, from its renderings of them.
import type { CallBody, CallFormat, JsonBody } from '../format.ts';
import { record } from '../tools.ts';
import type { CallProbes } from './call-probes.ts';
import { framingOf } from './framing.ts';
import { hole, holeMark, withHole } from './holes.ts';
import { parametersBody } from './parameters.ts';
import { words } from './probe.ts';
import { between, findJson } from './text-parts.ts';

/** Undefined when they are written in a way that is not known here. */
export function callFormat(probes: CallProbes): CallFormat | undefined {
  const format = jsonCalls(probes) ?? pythonCalls(probes) ?? namedCalls(probes) ?? parametersBody(probes);
  // A mark that holds a word of the probes was cut in the wrong place.
  const cutWrong = Object.values(words).some((word) => JSON.stringify(format)?.includes(String(word)));
  return cutWrong ? undefined : format;
}

function jsonCalls({ one, two }: CallProbes): CallFormat | undefined {
  const nameAt = one.indexOf(words.tool);
  const found = findJson(one, words.tool, 0, nameAt);
  if (!found) return undefined;
  const list = Array.isArray(found.value);
  const body = jsonBody(list ? (found.value as unknown[])[0] : found.value, list);
  if (!body) return undefined;
  const front = one.slice(0, found.start);
  const back = one.slice(found.end);
  if (list) {
    const section = { open: front.trim(), close: back.trim() };
    return { section, open: '', close: '', separator: '', several: two !== undefined, body };
  }
  const first = two === undefined ? undefined : findJson(two, words.tool, 0, two.indexOf(words.tool));
  const second = first && findJson(two!, words.otherTool, first.end, two!.indexOf(words.otherTool));
  // Some templates end the section behind several calls only.
  const end = second ? two!.slice(second.end) : back;
  return { ...framingOf(front, second && two!.slice(first!.end, second.start), end), body };
}

function jsonBody(value: unknown, list: boolean): JsonBody | undefined {
  const call = record(value);
  if (!call) return undefined;
  if (words.tool in call) return { kind: 'json', list, before: [], after: [] };
  const within = Object.keys(call).find((key) => Object.values(record(call[key]) ?? {}).includes(words.tool));
  const fields = within === undefined ? call : record(call[within])!;
  const keys = Object.keys(fields);
  const name = keys.find((key) => fields[key] === words.tool);
  const args = keys.find((key) => key !== name && JSON.stringify(fields[key]).includes(words.value));
  if (name === undefined || args === undefined) return undefined;
  const before = within === undefined ? keys.slice(0, keys.indexOf(name)) : [];
  const after = within === undefined ? keys.slice(keys.indexOf(args) + 1) : [];
  return { kind: 'json', list, ...(within !== undefined && { within }), name, arguments: args, before, after };
}

function pythonCalls({ one, two }: CallProbes): CallFormat | undefined {
  // Some templates write texts as they are, which is not what the model writes.
  const call = (tool: string) => new RegExp(`${tool}\\(\\s*${words.key}\\s*=\\s*(['"]?)Val7\\w+\\1[^)]*\\)`);
  const found = call(words.tool).exec(one);
  if (!found) return undefined;
  const front = one.slice(0, found.index);
  const back = one.slice(found.index + found[0].length);
  const list = front.trimEnd().endsWith('[') && back.trimStart().startsWith(']');
  const body: CallBody = { kind: 'python', list };
  if (list) {
    const section = { open: front.trimEnd().slice(0, -1).trim(), close: back.trimStart().slice(1).trim() };
    return { section, open: '', close: '', separator: '', several: two !== undefined, body };
  }
  const first = call(words.tool).exec(two ?? '');
  const second = call(words.otherTool).exec(two ?? '');
  const middle = first && second ? two!.slice(first.index + first[0].length, second.index) : undefined;
  return { ...framingOf(front, middle, back), body };
}

function namedCalls({ one, two }: CallProbes): CallFormat | undefined {
  const named = namedCall(one, words.tool, words.value, 0);
  if (!named) return undefined;
  const front = one.slice(0, named.nameAt);
  const first = two === undefined ? undefined : namedCall(two, words.tool, words.value, 0);
  const second = first && namedCall(two!, words.otherTool, words.lastValue, first.end);
  const middle = second && two!.slice(first!.end, second.nameAt);
  // An id differs from call to call; it stands in a hole.
  // Some templates end the section behind several calls only.
  const back = second ? two!.slice(second.end) : one.slice(named.end);
  const framing = framingOf(hole(front), middle && hole(middle), back);
  const [open, ...beforeName] = framing.open.split(holeMark);
  const body: CallBody = {
    kind: 'named',
    beforeName: beforeName.length > 0 ? ['', ...beforeName] : [''],
    afterName: second ? withHole(named.afterName, second.afterName) : hole(named.afterName).split(holeMark),
    notation: named.notation,
  };
  const badHole = [...body.beforeName.slice(1), ...body.afterName.slice(1)].some((text) => text.trim() === '');
  return badHole ? undefined : { ...framing, open: open!.trim(), body };
}

interface Named {
  readonly nameAt: number;
  readonly afterName: string;
  readonly notation: { quote?: string; bareKeys: boolean };
  readonly end: number;
}

function namedCall(text: string, tool: string, value: string, from: number): Named | undefined {
  const nameAt = text.indexOf(tool, from);
  const behind = nameAt + tool.length;
  const valueAt = text.indexOf(value, behind);
  if (nameAt < 0 || valueAt < 0) return undefined;
  const json = findJson(text, value, behind, valueAt);
  if (json) {
    if (!record(json.value)) return undefined;
    const afterName = text.slice(behind, json.start);
    return { nameAt, afterName, notation: { bareKeys: false }, end: json.end };
  }
  // {key:<|"|>text<|"|>,other:4711}
  const open = text.indexOf('{', behind);
  const quote = between(text, `{${words.key}:`, value, open);
  if (open < 0 || open > valueAt || quote === undefined || quote === '') return undefined;
  const end = text.indexOf('}', valueAt) + 1;
  if (end === 0 || !text.startsWith(quote, valueAt + value.length)) return undefined;
  return { nameAt, afterName: text.slice(behind, open), notation: { quote, bareKeys: true }, end };
}
