// `format`: what a text must be, as regular expressions. Each is the format's own grammar (RFC 3339, 4122, 4291, 5321, 3986 …)
// or a part of it in which nothing is wrong.
import { type CharacterAutomaton, differenceOf } from '../regex/automaton.ts';
import { searchAutomaton } from '../regex/compile.ts';
import { Kept } from '../work.ts';

const month = {
  long: '(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])',
  short: '(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)',
  february: '02-(?:0[1-9]|1\\d|2[0-8])',
};
const leapYear = '(?:\\d\\d(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)';
const date = `(?:\\d{4}-(?:${month.long}|${month.short}|${month.february})|${leapYear}-02-29)`;
const time = '(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d{1,9})?(?:[Zz]|[+-](?:[01]\\d|2[0-3]):[0-5]\\d)';
const label = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?';
const hostname = `${label}(?:\\.${label})*`;
const byte = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';
const ipv4 = `${byte}(?:\\.${byte}){3}`;
const piece = '[0-9a-fA-F]{1,4}';
const ipv6 = [
  `(?:${piece}:){7}${piece}`,
  `(?:${piece}:){6}${ipv4}`,
  ...Array.from({ length: 8 }, (_, before) => {
    const head = before === 0 ? '' : `(?:${piece}:){${before - 1}}${piece}`;
    const most = 7 - before;
    const tail = most === 0 ? '' : `(?:(?:${piece}:){0,${most - 1}}${piece})?`;
    return `${head}::${tail}`;
  }),
  ...Array.from({ length: 6 }, (_, before) => {
    const head = before === 0 ? '' : `(?:${piece}:){${before - 1}}${piece}`;
    return `${head}::(?:${piece}:){0,${5 - before}}${ipv4}`;
  }),
].join('|');
const atom = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+";
const pchar = "(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})";
const userinfo = "(?:[A-Za-z0-9._~!$&'()*+,;=:-]|%[0-9A-Fa-f]{2})*";
const registered = "(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*";
const authority = `(?:${userinfo}@)?(?:\\[(?:${ipv6})\\]|${registered})(?::\\d*)?`;
const segments = `(?:/${pchar}*)*`;
const tail = `(?:\\?(?:${pchar}|[/?])*)?(?:#(?:${pchar}|[/?])*)?`;
const hierarchy = `(?://${authority}${segments}|/(?:${pchar}+${segments})?|${pchar}+${segments}|)`;
const uri = `[A-Za-z][A-Za-z0-9+.-]*:${hierarchy}${tail}`;
const relative = `(?://${authority}${segments}|/(?:${pchar}+${segments})?|(?:[A-Za-z0-9._~!$&'()*+,;=@-]|%[0-9A-Fa-f]{2})+${segments}|)${tail}`;
const pointer = '(?:/(?:[^~/]|~[01])*)*';
const clock = '(?:\\d{1,9}H(?:\\d{1,9}M(?:\\d{1,9}S)?)?|\\d{1,9}M(?:\\d{1,9}S)?|\\d{1,9}S)';
const calendar = '(?:\\d{1,9}Y(?:\\d{1,9}M(?:\\d{1,9}D)?)?|\\d{1,9}M(?:\\d{1,9}D)?|\\d{1,9}D)';

const patterns: Readonly<Record<string, string>> = {
  date,
  time,
  'date-time': `${date}[Tt]${time}`,
  duration: `P(?:\\d{1,9}W|${calendar}(?:T${clock})?|T${clock})`,
  email: `${atom}(?:\\.${atom})*@${hostname}`,
  'idn-email': `${atom}(?:\\.${atom})*@${hostname}`,
  hostname,
  'idn-hostname': hostname,
  ipv4,
  ipv6,
  uri,
  url: `https?://${label}(?:\\.${label})*\\.[A-Za-z]{2,63}(?::[1-9]\\d{0,3})?${segments}${tail}`,
  iri: uri,
  'uri-reference': `(?:${uri}|${relative})`,
  'iri-reference': `(?:${uri}|${relative})`,
  uuid: '[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}',
  'json-pointer': pointer,
  'relative-json-pointer': `(?:0|[1-9]\\d{0,8})(?:#|${pointer})`,
  'uri-template': `(?:[A-Za-z0-9._~!$&'()*+,;=:@/?#-]|%[0-9A-Fa-f]{2}|\\{[+#./;?&]?[A-Za-z0-9_]+(?:\\*|:[1-9]\\d{0,3})?(?:,[A-Za-z0-9_]+)*\\})*`,
};
/** Names in DNS are shorter than their labels would allow. */
const longest: Readonly<Record<string, number>> = { hostname: 253, 'idn-hostname': 253 };
export const formatMaxLength = (name: string): number =>
  Object.hasOwn(longest, name) ? longest[name]! : Number.POSITIVE_INFINITY;
/** Formats of the specification that are no regular language, or that nothing here can decide. */
const undecided = new Set(['regex']);

/** What of them is left out: labels like `xn--…` say characters in a code (punycode) that is not checked here. */
const excluded: Readonly<Record<string, string>> = {
  hostname: '(?:^|\\.)[^.]{2}--',
  'idn-hostname': '(?:^|\\.)[^.]{2}--',
};

const known = new Kept<string, CharacterAutomaton>('patterns, formats and bounds of numbers');

/** Undefined: no format of the specification, so it says nothing. `refused`: one that cannot be enforced. */
export function formatAutomaton(name: string): CharacterAutomaton | 'refused' | undefined {
  if (undecided.has(name)) return 'refused';
  const pattern = Object.hasOwn(patterns, name) ? patterns[name] : undefined;
  if (pattern === undefined) return undefined;
  return known.of(name, () => {
    const automaton = searchAutomaton(`^(?:${pattern})$`);
    return Object.hasOwn(excluded, name) ? differenceOf(automaton, searchAutomaton(excluded[name]!)) : automaton;
  });
}
