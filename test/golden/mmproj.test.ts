// Towers as mmproj files against llama.cpp's converter: metadata key for key, tensors by hash. mmproj/README.md says how the
// goldens were made; published names of tensors and those of transformers 5 give the same file.
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TranscodePool } from '@quern/blocks';
import { openGgufModel, openHfCheckpoint, type TensorView } from '@quern/checkpoint';
import { type ConversionType, planConversion, writeModel } from '@quern/kquant';
import { openMmproj } from '@quern/models';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type GoldenFile, goldenTensors, goldenValue, isCosmetic } from './arch-json.ts';
import { checkpointOf } from './forward/architectures.ts';
import { testPath } from './forward/recorded.ts';
import { renamedTensors } from './renamed-tensors.ts';

interface Case {
  readonly name: string;
  readonly from: string;
  readonly types: readonly string[];
  readonly files: Readonly<Record<string, object>>;
  readonly rename?: readonly (readonly [now: string, published: string])[];
}

const golden = (file: string) => testPath(`golden/mmproj/${file}`);
const cases: readonly Case[] = JSON.parse(readFileSync(golden('cases.json'), 'utf8'));

/** Keys and tensors that we write beyond the converter; pixtral.ts says why. */
const beyond = ['v.token_embd.img_break'];

let scratch: string;
let pool: TranscodePool;
beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'quern-mmproj-'));
  pool = await TranscodePool.create({ threads: 2 });
});
afterAll(async () => {
  await pool.close();
  rmSync(scratch, { recursive: true, force: true });
});

function folderOf({ name, files }: Case, source: string): string {
  const folder = join(scratch, name);
  cpSync(source, folder, { recursive: true, filter: (path) => !path.endsWith('expected.safetensors') });
  for (const [file, keys] of Object.entries(files)) {
    const path = join(folder, file);
    const there = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {};
    rmSync(path, { force: true });
    writeFileSync(path, JSON.stringify({ ...there, ...keys }));
  }
  return folder;
}

const sourceOf = ({ from }: Case) => (existsSync(golden(from)) ? golden(from) : checkpointOf(from));

async function converted(folder: string, type: string): Promise<GoldenFile> {
  const towers = await openMmproj(folder);
  const output = join(scratch, 'mmproj.gguf');
  await writeModel(towers, planConversion(towers, type.toUpperCase() as ConversionType), output, { pool, force: true });
  await towers.close();
  const made = await openGgufModel(output);
  const metadata = Object.fromEntries([...made.metadata].map(([key, value]) => [key, goldenValue(key, value)]));
  const tensors = await goldenTensors(made);
  await made.close();
  return { metadata, tensors };
}

const described = ({ metadata }: GoldenFile) =>
  Object.fromEntries(Object.entries(metadata).filter(([key]) => !isCosmetic(key)));
const byName = ({ tensors }: GoldenFile) =>
  tensors.filter(({ name }) => !beyond.includes(name)).toSorted((a, b) => (a.name < b.name ? -1 : 1));

describe.each(cases)('$name', (row) => {
  const source = sourceOf(row);
  if (source === undefined) {
    it.skip('its checkpoint is neither in test/models/arch nor in QUERN_MODELS', () => {});
    return;
  }
  let folder: string;
  beforeAll(() => {
    folder = folderOf(row, source);
  });

  it.each(row.types)('is as llama.cpp writes it in %s', async (type) => {
    const theirs: GoldenFile = JSON.parse(readFileSync(golden(`${row.name}-${type}.json`), 'utf8'));
    const ours = await converted(folder, type);
    expect(described(ours)).toEqual(described(theirs));
    expect(byName(ours)).toEqual(byName(theirs));
  });

  if (row.name === 'pixtral')
    it('holds the embedding of the token that ends a row', async () => {
      const [towers, checkpoint] = [await openMmproj(folder), await openHfCheckpoint(folder)];
      const embedding = checkpoint.tensors.get('language_model.model.embed_tokens.weight')!;
      const read = async (tensor: TensorView, row: number) => {
        const bytes = new Uint8Array(tensor.rowBytes);
        await tensor.readRows(row, 1, bytes);
        return bytes;
      };
      expect(await read(towers.tensors.get(beyond[0]!)!, 0)).toEqual(await read(embedding, 12));
      await Promise.all([towers.close(), checkpoint.close()]);
    });

  const { rename } = row;
  if (!rename) return;
  it('is the same under published names', async () => {
    const before = await converted(folder, 'bf16');
    renamedTensors(join(folder, 'model.safetensors'), rename);
    expect(byName(await converted(folder, 'bf16'))).toEqual(byName(before));
  });
});
