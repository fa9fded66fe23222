// A model with one stack of experts of a given size, as a file that takes no space: its weights are a hole, so they read
// as zeros. Enough to measure memory on, and made at once. Beside it an importance matrix.
import { open } from 'node:fs/promises';
import { dtypeByName } from '../../packages/blocks/dist/index.js';
import { writeImatrix } from '../../packages/calibration/dist/index.js';
import { layoutGguf } from '../../packages/gguf/dist/index.js';

const experts = 256;
const cols = 4096;

/** @returns bytes of the stack */
export async function syntheticExperts(path, imatrixPath, megabytes) {
  const rows = Math.ceil((megabytes * 10 ** 6) / (2 * experts * cols));
  const uint32 = (value) => ({ type: 'uint32', value });
  const metadata = new Map([
    ['general.architecture', { type: 'string', value: 'llama' }],
    ['llama.block_count', uint32(1)],
    ['llama.attention.head_count', uint32(4)],
    ['llama.attention.head_count_kv', uint32(4)],
    ['llama.expert_count', uint32(experts)],
  ]);
  const name = 'blk.0.ffn_down_exps.weight';
  const layout = layoutGguf(metadata, [{ name, dtype: dtypeByName('BF16'), shape: [experts, rows, cols] }]);
  const file = await open(path, 'w');
  await file.write(layout.header, 0, layout.header.length, 0);
  await file.truncate(layout.fileBytes);
  await file.close();
  const sums = Float32Array.from({ length: experts * cols }, (_, i) => 1 + (i % 97));
  const entries = new Map([[name, { sums, counts: new Float32Array(experts).fill(8) }]]);
  await writeImatrix(imatrixPath, { datasets: ['synthetic'], chunkCount: 1, chunkSize: 512, entries });
  return 2 * experts * rows * cols;
}
