// The model card both ways, against what llama.cpp's converter reads in it (data/model-card/README.md).
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openContents } from '@quern/checkpoint';
import type { GgufMetadata } from '@quern/gguf';
import { describeContents, huggingFaceOf, openModel } from '@quern/models';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const data = fileURLToPath(new URL('data/model-card', import.meta.url));
const model = fileURLToPath(new URL('../models/arch/llama-spm', import.meta.url));
const card = readFileSync(join(data, 'card.md'), 'utf8');
const expected: [key: string, type: string, value: unknown][] = JSON.parse(
  readFileSync(join(data, 'metadata.json'), 'utf8'),
);

let place: string;
beforeAll(() => {
  place = mkdtempSync(join(tmpdir(), 'quern-card-'));
});
afterAll(() => rmSync(place, { recursive: true, force: true }));

let folders = 0;
/** The model under a name that no card says. */
function folderWith(readme: string | Uint8Array): string {
  const folder = join(place, `plain-${++folders}`, 'some-folder');
  mkdirSync(folder, { recursive: true });
  for (const name of ['config.json', 'model.safetensors', 'tokenizer.model', 'tokenizer_config.json'])
    cpSync(join(model, name), join(folder, name));
  writeFileSync(join(folder, 'README.md'), readme);
  return folder;
}

async function opened(readme: string | Uint8Array) {
  const view = await openModel(folderWith(readme));
  await view.close();
  return { general: generalOf(view.metadata), notes: view.notes ?? [] };
}

const generalOf = (metadata: GgufMetadata) =>
  [...metadata]
    .filter(([key]) => key.startsWith('general.') && !key.startsWith('general.sampling.'))
    .map(([key, value]) => [key, value.type === 'array' ? `array of ${value.of}` : value.type, value.value]);

it('is read as the converter reads it, keys in order', async () => {
  expect(await opened(card)).toEqual({ general: expected, notes: [] });
});

it('is read with the line ends of Windows', async () => {
  expect((await opened(card.replaceAll('\n', '\r\n'))).general).toEqual(expected);
});

it('is written so that the converter reads the same again', async () => {
  const view = await openModel(folderWith(card));
  const exported = await huggingFaceOf(view, 'BF16');
  await exported.close();
  const written = String(exported.sideFiles.get('README.md'));
  expect(written).toBe(readFileSync(join(data, 'exported.md'), 'utf8'));
  expect((await opened(written)).general).toEqual(expected);
});

const ids: [id: string, origin: Record<string, string>][] = JSON.parse(readFileSync(join(data, 'ids.json'), 'utf8'));
it.each(ids)('the base model %s is described as the converter does', async (id, origin) => {
  const { general } = await opened(`---\nbase_model: ${JSON.stringify(id)}\n---\n`);
  const prefix = 'general.base_model.0.';
  const ours = general.filter(([key]) => String(key).startsWith(prefix));
  expect(Object.fromEntries(ours.map(([key, , value]) => [String(key).slice(prefix.length), value]))).toEqual(origin);
});

it('inspect tells its licence', async () => {
  const contents = await openContents({ kind: 'folder', path: folderWith(card) });
  expect(describeContents(contents).license).toBe('other');
  await contents.close();
});

describe('a card that says nothing, or nonsense, leaves the conversion as it is', () => {
  const plain = [
    ['general.architecture', 'string', 'llama'],
    ['general.type', 'string', 'model'],
    ['general.name', 'string', 'Some Folder'],
    ['general.size_label', 'string', '214K'],
    ['general.file_type', 'uint32', 32],
    ['general.quantization_version', 'uint32', 2],
  ];
  it.each([
    ['no front matter', '# license: mit\n', undefined],
    ['an empty file', '', undefined],
    ['empty front matter', '---\n---\n', undefined],
    ['a list', '---\n- mit\n---\n', /no list of keys/],
    ['a line and prose', '---\nname: x: y: [\n', /is not YAML/],
    ['ten megabytes', `---\nlicense: ${'x'.repeat(10e6)}\n---\n`, /more than 1048576/],
    ['a long value', `---\nlicense: ${'x'.repeat(1e6)}\n---\n`, /"license" is text of 1000000/],
    ['anchors in a circle', '---\ntags: &a [*a]\nlicense: &b {x: *b}\n---\n', /./],
    [
      'anchors that double',
      `---\na0: &a0 [x,x,x,x,x,x,x,x,x]\n${Array.from({ length: 12 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(9).fill(`*a${i}`)}]\n`).join('')}tags: *a12\n---\n`,
      /is not YAML/,
    ],
    ['brackets without end', `---\ntags: ${'['.repeat(1e5)}\n---\n`, /is not YAML/],
    [
      'wrong types',
      '---\nlicense: {a: 1}\nname: 7\ntags: [1, [x]]\nlanguage: no\nversion: 1.5\n---\n',
      /"license" is no text/,
    ],
    ['half a surrogate', '---\nlicense: "\\uD800"\n---\n', /not Unicode/],
    ['no text at all', Uint8Array.from([0x2d, 0x2d, 0x2d, 0x0a, 0xff, 0xfe]), /README.md is not read/],
  ] as const)('%s', async (_, readme, said) => {
    const { general, notes } = await opened(readme);
    expect(general).toEqual(plain);
    if (said) expect(notes.join('\n')).toMatch(said);
    else expect(notes).toEqual([]);
  });
});
