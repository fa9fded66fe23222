// config.json in many spellings against what llama.cpp's converter writes from each (test/models/configs/README.md).
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { dtypeByName } from '@quern/blocks';
import { type HfCheckpoint, openHfCheckpoint, type TensorView } from '@quern/checkpoint';
import type { GgufValue } from '@quern/gguf';
import { architectureByHfName, expectedTensors, hfModelView, modelNumbers } from '@quern/models';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const models = fileURLToPath(new URL('../models', import.meta.url));

type Entry = [key: string, type: string, value: number | string];
const expected: Record<string, { config: Record<string, unknown>; metadata: Entry[] }> = JSON.parse(
  readFileSync(`${models}/configs/expected.json`, 'utf8'),
);

let tokenizerOwner: HfCheckpoint;
beforeAll(async () => {
  tokenizerOwner = await openHfCheckpoint(`${models}/arch/llama3`);
});
afterAll(() => tokenizerOwner.close());

describe.each(Object.entries(expected))('%s', (_, { config, metadata }) => {
  it('becomes the same metadata in the same order', async () => {
    const view = await hfModelView({ ...tokenizerOwner, config, tensors: tensorsFor(config, metadata) });
    const ours = [...view.metadata]
      .filter(([key]) => metadata.some(([known]) => known === key) || key.startsWith(`${architectureName(metadata)}.`))
      .map(([key, { type, value }]) => [key, type, value]);
    expect(ours).toEqual(
      metadata.map(([key, type, value]) => [key, type, type === 'float32' ? Math.fround(Number(value)) : value]),
    );
  });
});

const architectureName = (metadata: Entry[]) => String(metadata.find(([key]) => key === 'general.architecture')?.[2]);

/** Headers of the tensors that the golden metadata implies; no data. */
function tensorsFor(config: Record<string, unknown>, metadata: Entry[]): Map<string, TensorView> {
  const architecture = architectureByHfName((config.architectures as string[])[0] ?? '');
  const keys = new Map(metadata.map(([key, type, value]) => [key, { type, value } as GgufValue]));
  const numbers = modelNumbers({ path: 'golden', metadata: keys }, architecture.name, Number(config.vocab_size));
  const tensors = new Map<string, TensorView>();
  const expected = expectedTensors(architecture, numbers);
  const stored = expected.filter(({ rule }) => typeof rule.presence === 'string').flatMap(({ sources }) => sources);
  for (const { name: hf, shape } of stored) {
    const cols = shape.at(-1) ?? 1;
    tensors.set(hf, {
      name: hf,
      dtype: dtypeByName('BF16')!,
      shape,
      rows: shape.slice(0, -1).reduce((product, size) => product * size, 1),
      cols,
      rowBytes: 2 * cols,
      file: 'model.safetensors',
      offset: 0,
      readRows: () => Promise.reject(new Error('there is no data')),
    });
  }
  return tensors;
}
