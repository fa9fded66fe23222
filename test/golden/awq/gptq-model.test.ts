// GPTQ of a whole model in its true order, against plain torch and numpy. A weight that was fitted to other inputs than
// those of the quantized model has other codes: of blk.3 a third of them.
import { fileURLToPath } from 'node:url';
import { embedTokens, quantizeLayer } from '@quern/awq';
import { openModel } from '@quern/models';
import { cpuDevice } from '@quern/runtime';
import { expect, it } from 'vitest';
import { recordedTensors } from './recorded.ts';

const model = fileURLToPath(new URL('../../models/arch/llama3', import.meta.url));
const grid = { bits: 4, groupSize: 32, symmetric: false, leastZero: 0 };
const method = { name: 'gptq', actOrder: false, freeGroups: true, damp: 0.01 } as const;

/** Those whose rows have the order of the checkpoint. */
const names = {
  attn_v: 'self_attn.v_proj',
  attn_output: 'self_attn.o_proj',
  ffn_gate: 'mlp.gate_proj',
  ffn_up: 'mlp.up_proj',
  ffn_down: 'mlp.down_proj',
};

it('every weight is fitted to what the quantized weights before it give', async () => {
  const recorded = await recordedTensors('gptq-model.safetensors');
  const ids = new Int32Array(recorded.get('sequences')!);
  const sequences = Array.from({ length: ids.length / 64 }, (_, s) => ids.slice(64 * s, 64 * (s + 1)));
  const device = await cpuDevice({ threads: 1 });
  const view = await openModel(model);
  const states = await embedTokens(view, sequences);
  for (let block = 0; block < 4; block++) {
    const { quantized } = await quantizeLayer({ view, device, block, grid, method }, states);
    if (block % 3 !== 0) continue;
    for (const [own, theirs] of Object.entries(names)) {
      const { codes } = quantized.get(`blk.${block}.${own}.weight`)![0]!;
      const expected = new Uint8Array(recorded.get(`${block}.${theirs}`)!);
      const same = codes.filter((code, i) => code === expected[i]).length;
      expect(same / expected.length, `${block} ${own}`).toBeGreaterThan(0.99);
    }
  }
  await view.close();
  await device.dispose();
});
