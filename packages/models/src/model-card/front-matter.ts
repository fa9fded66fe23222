// The YAML at the top of a model card (README.md), between two lines `---`. It only says more about weights, so nothing in it
// can make a conversion fail: what is not understood is told.
import { parse } from 'yaml';

/** The largest that are known, with hundreds of results in them, have some 500 KB. */
const maxLength = 2 ** 20;

/** By name, values as YAML 1.1 has them; empty without front matter. @param note told why nothing was read */
export function frontMatter(card: string, note: (text: string) => void): ReadonlyMap<unknown, unknown> {
  const nothing = new Map();
  const opening = /^---\r?\n/.exec(card)?.[0];
  if (opening === undefined) return nothing;
  const end = /^---\r?$/m.exec(card.slice(opening.length))?.index;
  const yaml = card.slice(opening.length, end === undefined ? undefined : opening.length + end);
  const ignored = (why: string) => {
    note(`the front matter of README.md ${why}: licence, languages and tags are not read`);
    return nothing;
  };
  if (yaml.length > maxLength) return ignored(`has more than ${maxLength} characters`);
  try {
    const value: unknown = parse(asConverter(yaml), {
      ...{ schema: 'yaml-1.1', mapAsMap: true, uniqueKeys: false, logLevel: 'error', prettyErrors: false },
    });
    return value instanceof Map ? value : value === null ? nothing : ignored('is no list of keys and values');
  } catch (error) {
    return ignored(`is not YAML (${(error as Error).message.split('\n')[0]!.slice(0, 120)})`);
  }
}

/** llama.cpp's converter mends two frequent slips first: `no`, which is Norwegian and no boolean, and tabs. */
const asConverter = (yaml: string): string =>
  yaml.replace(/\r\n?/g, '\n').replaceAll(/- no$/gm, '- "no"').replaceAll('\t', '  ');
