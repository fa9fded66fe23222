// quern convert --to hf of packed folders: plain numbers under the names that transformers expects, nothing else.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openHfCheckpoint, type TensorView } from '@quern/checkpoint';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packedFolder } from '../packed-folder.ts';
import { root, runCommand } from './cli-fixture.ts';

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'quern-packed-to-hf-'));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

async function bytesOf(tensor: TensorView): Promise<Uint8Array> {
  const bytes = new Uint8Array(tensor.rows * tensor.rowBytes);
  await tensor.readRows(0, tensor.rows, bytes);
  return bytes;
}

test("AutoGPTQ's zero biases are left out and counted, and --strict has nothing against it", async () => {
  const folder = packedFolder('gptq', mkdtempSync(join(scratch, 'gptq-')));
  const out = join(scratch, 'plain');
  const flags = ['--to', 'hf', '--type', 'f32', '--strict', '--json', '-o', out];
  const { code, stdout } = await runCommand('convert', folder, ...flags);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    tensorCount: 38,
    rounded: { tensors: 0 },
    notes: ['left out: 28 biases of packed weights that are zero'],
  });
  const [packed, plain, unpacked] = await Promise.all(
    [folder, join(root, 'test/models/arch/llama3'), out].map(openHfCheckpoint),
  );
  expect([...unpacked!.tensors.keys()].sort()).toEqual([...plain!.tensors.keys()].sort());
  expect(unpacked!.config).not.toHaveProperty('quantization_config');
  for (const [name, tensor] of unpacked!.tensors) {
    expect(tensor.dtype.name).toBe('F32');
    const before = packed!.tensors.get(name)!;
    if (before.packed) expect(await bytesOf(tensor), name).toEqual(await bytesOf(before));
  }
  await Promise.all([packed, plain, unpacked].map((checkpoint) => checkpoint!.close()));
});
