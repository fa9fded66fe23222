// Where a call may begin in a reply.
import type { CallFormat, ParametersBody } from '../format.ts';

export interface Opening {
  /** What is looked for: the beginning of the mark, as far as its first white space. */
  readonly mark: string;
  readonly rest: string;
  /** The section opens: the mark of the call comes behind it. */
  readonly section: boolean;
}

/** What calls without marks begin with. Their readers stop at once where it is something else. */
export function bareOpenings({ body }: CallFormat): string[] {
  if (body.kind === 'json') return ['{', '['];
  return body.kind === 'python' && body.list ? ['['] : [];
}

export function openingsOf(calls: CallFormat): Opening[] {
  const open = calls.open.trim();
  const opens = [open, ...innerTags(open), ...withoutWord(open), ...(calls.otherOpens ?? [])];
  const section = calls.section.open.trim();
  return [
    ...(section ? [opening(section, true)] : []),
    ...opens.filter((text) => text !== '').map((text) => opening(text, false)),
  ];
}

/** What stands between white space in a text, and its tags alone: models vary both. */
export function piecesOf(text: string): string[] {
  return [...text.split(/\s+/), ...tagsOf(text)].filter((piece) => piece !== '');
}

/** The tags of a text; the text where it has none. */
export function tagsOf(text: string): string[] {
  const tags = text.match(/<[^<>\s][^<>]*>|\[\/?[A-Z_]+\]/g) ?? [text.trim()];
  return tags.filter((tag) => tag !== '');
}

/** What ends the parameters of a call: the first tag of what closes it, with what stands in front of every tag. */
export function endOfParameters({ keyOpen }: ParametersBody, close: string): string {
  const front = keyOpen.trim();
  const [end = ''] = front.length > 1 && close.startsWith(front) ? close.split(/\s/, 1) : tagsOf(close);
  return end;
}

/** Models leave the outer one of two tags out now and then. */
function innerTags(open: string): string[] {
  const starts = [...open.matchAll(/<\w/g)].map(({ index }) => index);
  return starts.filter((at) => at > 0).map((at) => open.slice(at));
}

/** `<|tool_call>:` for `<|tool_call>call:`: models leave the word out now and then. */
function withoutWord(open: string): string[] {
  const parts = /^(<[^<>]+>)\w+(:)$/.exec(open);
  return parts ? [parts[1]! + parts[2]!] : [];
}

function opening(text: string, section: boolean): Opening {
  const end = text.search(/\s/);
  return end < 0 ? { mark: text, rest: '', section } : { mark: text.slice(0, end), rest: text.slice(end), section };
}
