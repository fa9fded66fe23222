// The `general.*` keys that a model card (README.md) says: name, author, licence, what the model was made from, tags and
// languages. Keys, order and guesses are those of llama.cpp's converter; where it fails at a value, or writes an empty
// entry, the value is left out and told.
import type { HfCheckpoint } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import type { GgufValue } from '@quern/gguf';
import { listKeys, originFields, originKeys, textKeys } from './card-keys.ts';
import { frontMatter } from './front-matter.ts';
import { type Origin, originOf } from './model-id.ts';

type Entry = [key: string, value: GgufValue];
type Note = (text: string) => void;
type Card = ReadonlyMap<unknown, unknown>;

// Far beyond what a card says, far below what would be felt in a file.
const maxText = 2 ** 16;
const maxItems = 4096;

/** The front matter of a checkpoint's README.md; empty where there is none. */
export async function readCard(checkpoint: Pick<HfCheckpoint, 'readText'>, note: Note): Promise<Card> {
  try {
    return frontMatter((await checkpoint.readText('README.md')) ?? '', note);
  } catch (error) {
    if (!(error instanceof QuernError)) throw error;
    note(`README.md is not read: ${error.message}`);
    return new Map();
  }
}

/** @param given values that the card does not say, or that win over it: `name` given by hand, the counted `size_label` */
export function cardMetadata(
  card: Card,
  { name, fallback, note }: { name?: string; fallback: Readonly<Record<string, string>>; note: Note },
): Entry[] {
  const entries: Entry[] = [];
  const set = (key: string, value: string) => entries.push([`general.${key}`, { type: 'string', value }]);
  for (const [key, ...from] of textKeys) {
    const value = (key === 'name' ? name : undefined) ?? textIn(card, from, note) ?? fallback[key];
    if (value !== undefined) set(key, value);
  }
  for (const [key, ...from] of originKeys) {
    const said = from.find((candidate) => card.has(candidate));
    if (said === undefined) continue;
    const origins = itemsOf(card.get(said), said, note).flatMap((item) => originIn(item, said, note));
    entries.push([`general.${key}.count`, { type: 'uint32', value: origins.length }]);
    for (const [i, origin] of origins.entries())
      for (const field of originFields) if (origin[field] !== undefined) set(`${key}.${i}.${field}`, origin[field]);
  }
  for (const [key, ...from] of listKeys) {
    const value = from.flatMap((name) =>
      itemsOf(card.get(name), name, note).flatMap((item) => asText(item, name, note) ?? []),
    );
    if (value.length > 0) entries.push([`general.${key}`, { type: 'array', of: 'string', value }]);
  }
  return entries;
}

/** The licence that the text of a card says; several are joined by commas. */
export function licenceIn(card: string): string | undefined {
  const silent = () => {};
  return textIn(frontMatter(card, silent), ['license'], silent);
}

function textIn(card: Card, names: readonly string[], note: Note): string | undefined {
  for (const name of names) {
    const value = card.get(name);
    if (value === undefined || value === null) continue;
    if (name !== 'license' || !Array.isArray(value)) return asText(value, name, note);
    const licences = itemsOf(value, name, note).flatMap((item) => asText(item, name, note) ?? []);
    return licences.length > 0 ? licences.join(',') : undefined;
  }
  return undefined;
}

function itemsOf(value: unknown, name: string, note: Note): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) return [value];
  if (value.length > maxItems) note(`README.md: of "${name}" the first ${maxItems} entries are taken`);
  return value.slice(0, maxItems);
}

function asText(value: unknown, name: string, note: Note): string | undefined {
  if (typeof value === 'string' && value.length <= maxText && !/\p{Surrogate}/u.test(value)) return value;
  const why =
    typeof value !== 'string'
      ? 'is no text (quotes make it one)'
      : `is text of ${value.length} characters, too long or not Unicode`;
  note(`README.md: "${name}" ${why}: left out`);
  return undefined;
}

function originIn(item: unknown, name: string, note: Note): Origin[] {
  if (!(item instanceof Map)) {
    const id = asText(item, name, note);
    return id === undefined ? [] : [originOf(id)];
  }
  const fields = originFields.flatMap((field): [string, string][] => {
    const value = item.has(field) ? asText(item.get(field), `${name}.${field}`, note) : undefined;
    return value === undefined ? [] : [[field, value]];
  });
  return [Object.fromEntries(fields)];
}
