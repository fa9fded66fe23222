// quern convert-lora against llama.cpp's convert_lora_to_gguf.py: metadata key for key, tensors by their bytes, in its order
// (recorded by data/adapters/record-gguf.py). Where GGUF cannot say what PEFT does, the product of a pair is what counts.
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openGgufModel, type TensorView } from '@quern/checkpoint';
import { conversionType, planConversion, writeModel } from '@quern/kquant';
import { adapterView, openAdapter, openModel, openPeftAdapter } from '@quern/models';
import { afterAll, describe, expect, it } from 'vitest';
import { knownTensor, writeAdapterFolder } from '../adapter-folder.ts';
import { checkpointOf } from './forward/architectures.ts';
import { testPath } from './forward/recorded.ts';

interface RecordedFile {
  readonly metadata: Readonly<Record<string, readonly [type: string, value: unknown]>>;
  readonly tensors: readonly (readonly [name: string, shape: readonly number[], type: string, hash: string])[];
}

const data = (name: string) => JSON.parse(readFileSync(testPath(`golden/data/adapters/${name}`), 'utf8'));
const cases = data('peft.json');
const files: Record<string, RecordedFile> = data('gguf.json');
/** As record-gguf.py writes it. */
const card = '---\nbase_model: quern/A-Model-1B\nlicense: mit\ntags:\n- lora\n- peft\n---\n\n# An adapter\n';

const folder = mkdtempSync(join(tmpdir(), 'quern-convert-lora-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function adapterFolder(name: string): string {
  const { config, tensors } = cases[name];
  const known = tensors.map(([tensor, shape]: [string, number[]], seed: number) => knownTensor(tensor, shape, seed));
  const dir = writeAdapterFolder(join(folder, name, 'some-adapter'), config, known);
  writeFileSync(join(dir, 'README.md'), card);
  return dir;
}

const modelOf = (name: string): string | undefined => {
  const { model } = cases[name] as { model: string };
  return model.startsWith('arch/') ? checkpointOf(model.slice('arch/'.length)) : testPath(`models/${model}`);
};

async function convert(name: string, type: string): Promise<string> {
  const model = await openModel(modelOf(name)!);
  const adapter = await openPeftAdapter(adapterFolder(name), model);
  const view = await adapterView(adapter, model);
  const out = join(folder, `${name}-${type}.gguf`);
  await writeModel(view, planConversion(view, conversionType(type)!), out, { threads: 1, force: true });
  await adapter.close();
  await model.close();
  return out;
}

async function bytesOf(tensor: TensorView): Promise<Uint8Array> {
  const bytes = new Uint8Array(tensor.rows * tensor.rowBytes);
  await tensor.readRows(0, tensor.rows, bytes);
  return bytes;
}

describe.each(Object.entries(files))('%s', (title, recorded) => {
  const [name, type] = title.split(' ') as [string, string];
  if (!modelOf(name)) {
    it.skip(`skipped: no checkpoint for ${name} in test/models, nor in QUERN_MODELS`);
    return;
  }

  it('is the file of the converter', async () => {
    const file = await openGgufModel(await convert(name, type));
    const keys = [...file.metadata].map(([key, { type: of, value, ...rest }]) => [
      key,
      ['of' in rest ? `array ${rest.of}` : of, value],
    ]);
    // It passes over use_rslora.
    const metadata: Record<string, unknown> = { ...recorded.metadata };
    if (cases[name].config.use_rslora) metadata['adapter.lora.alpha'] = ['float32', Math.fround(5 * Math.sqrt(3))];
    expect(keys).toEqual(Object.entries(metadata));
    const tensors = await Promise.all(
      [...file.tensors.values()].map(async (tensor) => [
        ...[tensor.name, tensor.shape, tensor.dtype.name],
        createHash('sha256')
          .update(await bytesOf(tensor))
          .digest('hex')
          .slice(0, 16),
      ]),
    );
    await file.close();
    expect(tensors).toEqual(recorded.tensors);
  });
});

it('what one alpha cannot say goes into B', async () => {
  const name = 'tiny-llama-patterns';
  const path = await convert(name, 'f32');
  const base = await openModel(modelOf(name)!);
  const [theirs, ours] = await Promise.all([openAdapter(adapterFolder(name), base), openAdapter(path, base)]);
  const floats = async (tensor: TensorView) => new Float32Array((await bytesOf(tensor)).buffer);
  expect([...ours.pairs.keys()].sort()).toEqual([...theirs.pairs.keys()].sort());
  for (const [weight, pair] of theirs.pairs) {
    const other = ours.pairs.get(weight)!;
    expect(await floats(other.a)).toEqual(await floats(pair.a));
    const [b, otherB] = [await floats(pair.b), await floats(other.b)];
    for (const [i, value] of b.entries()) expect(other.factor * otherB[i]!).toBeCloseTo(pair.factor * value, 6);
  }
  await Promise.all([ours.close(), theirs.close(), base.close()]);
});
