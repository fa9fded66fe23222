// Files that torch wrote, against what torch says they hold; and files that are refused.
import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { QuernError } from '@quern/errors';
import { memorySource, openFile, type Source } from '@quern/source';
import { describe, expect, it } from 'vitest';
import { openTorch } from './open.ts';

const golden = join(import.meta.dirname, '../../../test/golden/data/torch');
const expected: Record<string, Record<string, { shape: number[]; hex: string }>> = JSON.parse(
  readFileSync(join(golden, 'expected.json'), 'utf8'),
);

async function contents(source: Source): Promise<Record<string, { shape: number[]; hex: string }>> {
  const file = await openTorch(source);
  const found: Record<string, { shape: number[]; hex: string }> = {};
  for (const [name, tensor] of file.tensors) {
    const bytes = await tensor.source.read(tensor.begin, tensor.end - tensor.begin);
    found[name] = { shape: [...tensor.shape], hex: Buffer.from(bytes).toString('hex') };
  }
  return found;
}

const refusalOf = (source: Source): Promise<QuernError> =>
  contents(source).then(
    () => {
      throw new Error('it was accepted');
    },
    (error) => error,
  );

describe('openTorch', () => {
  it.each(Object.keys(expected))('reads %s as torch does', async (name) => {
    const source = await openFile(join(golden, name));
    expect(await contents(source)).toEqual(expected[name]);
    await source.close();
  });

  it('reads no weights when it opens, and only their bytes later', async () => {
    const bytes = await readFile(join(golden, 'types.bin'));
    const read: [number, number][] = [];
    const inner = memorySource(bytes, 'types.bin');
    const source: Source = {
      ...inner,
      read: (offset, length) => {
        read.push([offset, offset + length]);
        return inner.read(offset, length);
      },
    };
    const { tensors } = await openTorch(source);
    const { begin, end, source: its } = tensors.get('float32')!;
    expect(its).toBe(source);
    expect(begin % 64).toBe(0);
    // The search for the end of the directory covers this small file: leave it out.
    const opened = read.filter(([from]) => from !== 0);
    expect(opened.some(([from, to]) => from < end && to > begin)).toBe(false);
  });

  it('gives tensors that share a storage the same bytes of the file', async () => {
    const { tensors } = await openTorch(memorySource(await readFile(join(golden, 'views.bin'))));
    const [whole, rows] = [tensors.get('whole')!, tensors.get('rows')!];
    expect(rows.source).toBe(whole.source);
    expect(rows.begin).toBe(whole.begin + 6 * 4);
  });

  it('reads any part of a strided tensor', async () => {
    const { tensors } = await openTorch(memorySource(await readFile(join(golden, 'views.bin'))));
    for (const name of ['transposed', 'columns', 'permuted', 'expanded']) {
      const { source, dtype, begin, end } = tensors.get(name)!;
      const all = Buffer.from(expected['views.bin']![name]!.hex, 'hex');
      for (let from = begin; from < end; from += dtype.typeSize) {
        for (let to = from; to <= end; to += dtype.typeSize)
          expect(Buffer.from(await source.read(from, to - from))).toEqual(all.subarray(from, to));
      }
    }
  });

  it('tells what is no tensor', async () => {
    const { tensors, others } = await openTorch(memorySource(await readFile(join(golden, 'training.bin'))));
    expect(tensors.size).toBe(8);
    expect(others).toEqual([]);
  });
});

describe('a pickle that does more than build tensors', () => {
  it.each([
    ['malicious.bin', 'torch-forbidden-global', /posix\.system/],
    ['malicious-legacy.bin', 'torch-forbidden-global', /posix\.system/],
    ['whole-module.bin', 'torch-forbidden-global', /torch\.nn\.modules\.container\.Sequential/],
    ['sparse.bin', 'torch-forbidden-global', /torch\._utils\._rebuild_sparse_tensor/],
  ])('%s is refused by name and not executed', async (name, code, text) => {
    const bytes = await readFile(join(golden, name));
    const error = await refusalOf(memorySource(bytes, name));
    expect(error).toMatchObject({ code, file: name });
    expect(error.message).toMatch(text);
    // The offset is that of the opcode GLOBAL, followed by the name.
    expect(String.fromCharCode(bytes[error.offset!]!)).toBe('c');
    const [module, attribute] = bytes
      .subarray(error.offset! + 1)
      .toString('latin1')
      .split('\n') as [string, string];
    expect(error.message).toContain(`${module}.${attribute}`);
    for (const folder of [process.cwd(), golden, import.meta.dirname])
      expect(existsSync(join(folder, 'PWNED'))).toBe(false);
  });
});

describe('a file that is no file of torch.save', () => {
  it.each([
    ['text', Buffer.from('<!doctype html>'), 'torch-not-recognized'],
    ['nothing', Buffer.alloc(0), 'torch-not-recognized'],
    ['a zip archive cut short', readFileSync(join(golden, 'views.bin')).subarray(0, -30), 'zip-truncated'],
    ['a legacy file cut short', readFileSync(join(golden, 'legacy.bin')).subarray(0, -2), 'torch-truncated'],
    ['half a legacy pickle', readFileSync(join(golden, 'legacy.bin')).subarray(0, 300), 'torch-truncated'],
  ])('%s', async (_, bytes, code) => {
    expect(await refusalOf(memorySource(bytes, 'x.bin'))).toMatchObject({ code, file: 'x.bin' });
  });
});
