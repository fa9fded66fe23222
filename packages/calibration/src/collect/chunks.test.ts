import { fileURLToPath } from 'node:url';
import { openModel } from '@quern/models';
import { type Tokenizer, tokenizerFromGguf } from '@quern/tokenizer';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { calibrationChunks } from './chunks.ts';
import { shuffled } from './shuffle.ts';

let tokenizer: Tokenizer;
beforeAll(async () => {
  const view = await openModel(fileURLToPath(new URL('../../../../test/models/tiny-llama', import.meta.url)));
  tokenizer = tokenizerFromGguf(view.metadata);
  await view.close();
});

const text = (words: number, name = 'a.txt') => ({
  name,
  bytes: new TextEncoder().encode(Array.from({ length: words }, (_, i) => `word ${i}`).join(' ')),
});

test('cuts without overlap, leaves out the tail, and puts BOS in place of the first token', () => {
  const given = text(60);
  const ids = tokenizer.encode(new TextDecoder().decode(given.bytes), { addSpecial: true });
  const chunks = calibrationChunks(tokenizer, [given], { contextTokens: 50 });
  expect(chunks.length).toBe(Math.floor(ids.length / 50));
  expect(tokenizer.addBos).toBe(true);
  for (const [i, chunk] of chunks.entries()) {
    expect(chunk[0]).toBe(tokenizer.bos);
    expect(chunk.subarray(1)).toEqual(ids.subarray(50 * i + 1, 50 * (i + 1)));
  }
});

test('one newline at the end of a file does not count', () => {
  const [a] = calibrationChunks(tokenizer, [text(60)], { contextTokens: 16 }).slice(-1);
  const ended = { name: 'a', bytes: Buffer.concat([text(60).bytes, Buffer.from('\n')]) };
  expect(calibrationChunks(tokenizer, [ended], { contextTokens: 16 }).at(-1)).toEqual(a);
});

test('no chunk spans two texts', () => {
  const both = calibrationChunks(tokenizer, [text(60), text(70, 'b.txt')], { contextTokens: 32 });
  const each = [text(60), text(70)].flatMap((one) => calibrationChunks(tokenizer, [one], { contextTokens: 32 }));
  expect(both).toEqual(each);
});

test('special tokens are text unless asked for', () => {
  const marked = { name: 'a', bytes: new TextEncoder().encode('<|im_start|>'.repeat(40)) };
  const im = tokenizer.encode('<|im_start|>', { parseSpecial: true })[0];
  const counted = (parseSpecial: boolean) =>
    calibrationChunks(tokenizer, [marked], { contextTokens: 16, parseSpecial })[0]!.filter((id) => id === im).length;
  expect(counted(false)).toBe(0);
  expect(counted(true)).toBe(15);
});

test('refuses what cannot be measured', () => {
  const chunks = (contextTokens: number, bytes: Uint8Array) => () =>
    calibrationChunks(tokenizer, [text(60), { name: 'b.txt', bytes }], { contextTokens });
  const short = new TextEncoder().encode('short');
  expect(chunks(16, short)).toThrow(expect.objectContaining({ code: 'text-too-short', file: 'b.txt' }));
  expect(chunks(16, new Uint8Array(0))).toThrow(expect.objectContaining({ code: 'text-too-short' }));
  expect(chunks(16, Uint8Array.of(0xff))).toThrow(expect.objectContaining({ code: 'text-not-utf8', file: 'b.txt' }));
  expect(chunks(15, short)).toThrow(expect.objectContaining({ code: 'calibration-bad-context' }));
  const appending = { ...tokenizer, addEos: true };
  expect(() => calibrationChunks(appending, [text(60)], { contextTokens: 16 })).toThrow(
    expect.objectContaining({ code: 'tokenizer-adds-eos' }),
  );
});

test('a seed decides an order of the same chunks', () => {
  const inOrder = calibrationChunks(tokenizer, [text(300)], { contextTokens: 16 });
  const one = calibrationChunks(tokenizer, [text(300)], { contextTokens: 16, seed: 1 });
  expect(one).not.toEqual(inOrder);
  expect(calibrationChunks(tokenizer, [text(300)], { contextTokens: 16, seed: 1 })).toEqual(one);
  expect(one.map(String).sort()).toEqual(inOrder.map(String).sort());
});

test('shuffling is a permutation, reaches every place, and stays what it is', () => {
  fc.assert(
    fc.property(fc.array(fc.nat()), fc.nat(), (items, seed) => {
      expect(shuffled(items, seed).sort()).toEqual([...items].sort());
    }),
  );
  const places = new Set(Array.from({ length: 200 }, (_, seed) => shuffled([0, 1, 2, 3, 4], seed).indexOf(0)));
  expect(places.size).toBe(5);
  // Fixed for ever: recipes would measure other chunks if this changed.
  expect(shuffled([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 1)).toEqual([5, 1, 9, 7, 2, 8, 4, 6, 0, 3]);
});
