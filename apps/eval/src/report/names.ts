// Names of models for a page that others read: no folders of this machine, but as many as it takes to tell them apart.
import { shortened } from '@quern/terminal';

/** @param references models as the user named them: paths or hub ids; each once or several times */
export function briefNames(references: readonly string[]): ReadonlyMap<string, string> {
  const parts = new Map(
    references.map((reference) => [reference, reference.split(/[/\\]+/).filter((part) => part !== '' && part !== '.')]),
  );
  const brief = new Map<string, string>();
  for (const [reference, own] of parts) {
    const others = [...parts].filter(([other]) => other !== reference).map(([, other]) => other);
    const taken = (count: number): boolean => others.some((other) => last(other, count) === last(own, count));
    let count = 1;
    while (count < own.length && taken(count)) count++;
    brief.set(reference, taken(count) || own.length === 0 ? reference : last(own, count));
  }
  return brief;
}

/**
 * Names for places of `characters`: where one is longer, what all of them begin and end with is left out, so that what
 * tells them apart stays.
 */
export function shortNames(names: readonly string[], characters: number): string[] {
  if (names.every((name) => name.length <= characters)) return [...names];
  const isSame = new Set(names).size === 1;
  const head = isSame ? 0 : commonLength(names);
  const tail = isSame ? 0 : commonLength(names.map((name) => [...name.slice(head)].reverse().join('')));
  return names.map((name) => {
    const own = name.slice(head, name.length - tail);
    return shortened(
      `${head > 1 ? '…' : name.slice(0, head)}${own}${tail > 1 ? '…' : name.slice(name.length - tail)}`,
      characters,
    );
  });
}

/** Of what all texts begin with, up to the last place where a word begins. */
function commonLength([first = '', ...others]: readonly string[]): number {
  let length = 0;
  while (length < first.length && others.every((other) => other[length] === first[length])) length++;
  while (length > 0 && !/[-_ /]/.test(first[length - 1]!)) length--;
  return length;
}

const last = (parts: readonly string[], count: number): string => parts.slice(-count).join('/');
