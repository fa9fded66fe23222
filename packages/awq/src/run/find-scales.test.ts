import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openModel } from '@quern/models';
import { cpuDevice, type Device } from '@quern/runtime';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { withScales } from '../fold/scaled-view.ts';
import { readScales } from '../fold/scales-file.ts';
import { modelPath, temporaryFolder } from '../testing/temporary-folder.ts';
import { findScales } from './find-scales.ts';

const dir = await temporaryFolder();
const view = await openModel(modelPath('arch/llama3'));
let device: Device;
beforeAll(async () => {
  device = await cpuDevice({ threads: 1 });
});
afterAll(async () => {
  await device?.dispose();
  await view.close();
});
const sequences = [Int32Array.from({ length: 64 }, (_, i) => (i * i * 13 + 5 * i + 3) % 400)];

it('a search that was stopped goes on, to the same file', async () => {
  const whole = join(dir, 'whole.safetensors');
  const stopped = join(dir, 'stopped.safetensors');
  await findScales(view, device, sequences, whole);
  const controller = new AbortController();
  const onLayer = ({ block }: { block: number }) => block === 1 && controller.abort(new Error('stop'));
  const first = findScales(view, device, sequences, stopped, { signal: controller.signal, onLayer });
  await expect(first).rejects.toThrow('stop');
  const searched: number[] = [];
  await findScales(view, device, sequences, stopped, { onLayer: ({ block }) => searched.push(block) });
  expect(searched).toEqual([2, 3]);
  expect(await readFile(stopped)).toEqual(await readFile(whole));
});

it('a file of another text is refused, and the same search is read from its file', async () => {
  const path = join(dir, 'again.safetensors');
  const found = await findScales(view, device, sequences, path);
  let worked = false;
  const again = await findScales(view, device, sequences, path, { onLayer: () => (worked = true) });
  expect(worked).toBe(false);
  expect(again.map(({ scales }) => scales)).toEqual(found.map(({ scales }) => scales));
  const other = [sequences[0]!.map((id) => id + 1)];
  await expect(findScales(view, device, other, path)).rejects.toMatchObject({ code: 'refused-other-settings' });
});

it('a view with scales says which, so that a file that is written in parts cannot mix them', async () => {
  const path = join(dir, 'given.safetensors');
  await findScales(view, device, sequences, path);
  const scaled = await withScales(view, { scales: path, output: join(dir, 'x.gguf'), calibration: {} });
  const key = scaled.metadata.get('quern.awq_scales.sha256')?.value;
  expect(key).toMatch(/^[0-9a-f]{64}$/);
  const { pairs } = await readScales(path, view);
  expect(pairs.length).toBeGreaterThan(8);
  expect(scaled.tensors.get('blk.0.attn_norm.weight')).toMatchObject({ rowBytes: 4 * 64 });
});
