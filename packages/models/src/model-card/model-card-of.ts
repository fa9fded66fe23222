// README.md of an exported folder: what `general.*` says of a model and no other file does, as front matter that llama.cpp's
// converter and ours read back. Licence, language, tags, base_model and datasets are the hub's own keys.
import type { ModelView } from '@quern/checkpoint';
import { listKeys, originFields, originKeys, textKeys } from './card-keys.ts';
import { idOf, type Origin } from './model-id.ts';

// More than any file lists; a hostile count must not make a loop of billions.
const maxOrigins = 4096;

/** Undefined when the file says nothing of itself. */
export function modelCardOf({ metadata }: Pick<ModelView, 'metadata'>): string | undefined {
  const textOf = (key: string): string | undefined => {
    const value = metadata.get(`general.${key}`)?.value;
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const lines: string[] = [];
  for (const [key, ...card] of textKeys) {
    // A card has one place for addresses: the converter takes it for that of the source.
    const value = textOf(key) ?? (key.startsWith('source.') ? textOf(key.slice('source.'.length)) : undefined);
    if (value !== undefined) lines.push(`${card[1] ?? card[0]}: ${quoted(value)}`);
  }
  for (const [key, card] of originKeys) {
    const count = Math.min(Number(metadata.get(`general.${key}.count`)?.value) || 0, maxOrigins);
    const origins = Array.from({ length: count }, (_, i): Origin => {
      const fields = originFields.map((field) => [field, textOf(`${key}.${i}.${field}`)] as const);
      return Object.fromEntries(fields.filter((one): one is [(typeof one)[0], string] => one[1] !== undefined));
    });
    if (origins.length > 0) lines.push(`${card}:`, ...origins.map((origin) => `- ${quoted(idOf(origin) ?? origin)}`));
  }
  for (const [key, ...card] of listKeys) {
    const list = metadata.get(`general.${key}`);
    if (list?.type !== 'array' || list.of !== 'string' || list.value.length === 0) continue;
    lines.push(`${key === 'languages' ? card[1] : card[0]}:`, ...list.value.map((item) => `- ${quoted(String(item))}`));
  }
  if (lines.length === 0) return undefined;
  return ['---', ...lines, '---', '', 'Written from the metadata of a GGUF file.', ''].join('\n');
}

/** JSON is YAML, but for characters that YAML 1.1 wants escaped. */
const quoted = (value: unknown): string =>
  JSON.stringify(value).replace(
    /[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
