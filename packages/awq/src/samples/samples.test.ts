import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openModel } from '@quern/models';
import { tokenizerFromGguf } from '@quern/tokenizer';
import { describe, expect, it } from 'vitest';
import { modelPath, temporaryFolder } from '../testing/temporary-folder.ts';
import { calibrationSequences } from './calibration-sequences.ts';

const dir = await temporaryFolder();
const view = await openModel(modelPath('tiny-llama'));
const tokenizer = tokenizerFromGguf(view.metadata);
const encode = (text: string) => [...tokenizer.encode(text, { addSpecial: true, parseSpecial: true })];

async function file(name: string, content: string): Promise<string> {
  const path = join(dir, name);
  await writeFile(path, content);
  return path;
}

describe('a list of texts', () => {
  it('is stripped, encoded one by one, joined and cut; texts that are empty or too long are left out', async () => {
    const long = 'word '.repeat(200);
    const texts = [
      '  The king spoke. ',
      '',
      long,
      'The queen answered him.\n',
      'And so they parted, each to his own house.',
    ];
    const path = await file('list.json', JSON.stringify(texts));
    const sequences = await calibrationSequences(view, { file: path, sequenceTokens: 16 });
    const joined = ['The king spoke.', 'The queen answered him.', texts[4]!].flatMap(encode);
    const count = Math.floor(joined.length / 16);
    expect(count).toBeGreaterThan(0);
    expect(sequences.map((ids) => [...ids])).toEqual(
      Array.from({ length: count }, (_, i) => joined.slice(16 * i, 16 * (i + 1))),
    );
  });

  it('gives the first texts that fit, as many as wanted; another order with a seed', async () => {
    const texts = Array.from({ length: 40 }, (_, i) => `Sentence number ${i} of this list.`);
    const path = await file('many.json', JSON.stringify(texts));
    const options = { file: path, samples: 10, sequenceTokens: 32 };
    const [first] = await calibrationSequences(view, options);
    expect([...first!]).toEqual(texts.slice(0, 10).flatMap(encode).slice(0, 32));
    const [other] = await calibrationSequences(view, { ...options, seed: 7 });
    expect([...other!]).not.toEqual([...first!]);
    expect(await calibrationSequences(view, { ...options, seed: 7 })).toEqual([
      other,
      ...(await calibrationSequences(view, { ...options, seed: 7 })).slice(1),
    ]);
  });

  it.each([
    ['no JSON', 'x.json', '[', 'calibration-not-a-list'],
    ['no list of strings', 'x.json', '[1]', 'calibration-not-a-list'],
    ['empty', 'x.json', '[]', 'calibration-empty'],
    ['of texts that are empty', 'x.json', '["", " "]', 'calibration-empty'],
    ['too short', 'x.json', '["a few words"]', 'text-too-short'],
    ['an empty text file', 'x.txt', ' \n', 'calibration-empty'],
    ['a text too short for one sequence', 'x.txt', 'a few words', 'text-too-short'],
    ['no UTF-8', 'x.txt', '\u00ff', undefined],
  ])('that is %s is refused', async (_, name, content, code) => {
    const path = await file(name, content);
    if (code === undefined) await writeFile(path, new Uint8Array([0xff, 0xfe, 0x41]));
    await expect(calibrationSequences(view, { file: path })).rejects.toMatchObject({ code: code ?? 'text-not-utf8' });
  });

  it('of no texts at all is not called one of texts that are too long', async () => {
    const path = await file('none.json', '[" "]');
    const opening = calibrationSequences(view, { file: path });
    await expect(opening).rejects.toMatchObject({ message: expect.stringContaining('has no text') });
  });

  it('that does not exist is refused', async () => {
    const missing = join(dir, 'nowhere.json');
    await expect(calibrationSequences(view, { file: missing })).rejects.toMatchObject({ code: 'text-unreadable' });
  });
});

it('a plain text is cut into chunks, as many as wanted', async () => {
  const path = await file('plain.txt', 'The king spoke to the queen. '.repeat(60));
  const sequences = await calibrationSequences(view, { file: path, samples: 3, sequenceTokens: 64 });
  expect(sequences.map((ids) => ids.length)).toEqual([64, 64, 64]);
});

it('without a file the recipe is used; it may be named, or given as a file', async () => {
  const options = { samples: 4, sequenceTokens: 128 };
  const sequences = await calibrationSequences(view, options);
  expect(sequences.map((ids) => ids.length)).toEqual([128, 128, 128, 128]);
  expect(await calibrationSequences(view, { ...options, file: 'default' })).toEqual(sequences);
  const recipe = fileURLToPath(new URL('../../../../calibration/recipes/default.json', import.meta.url));
  expect(await calibrationSequences(view, { ...options, file: recipe })).toEqual(sequences);
  expect(await calibrationSequences(view, { ...options, seed: 5 })).not.toEqual(sequences);
});
