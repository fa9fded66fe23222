// Layers with a window keep a ring of positions for each sequence where that is smaller: same logits as with a cache of all
// positions, in less memory, however far a sequence goes beyond its ring.
import { hyperparameters } from '@quern/models';
import { cpuDevice, referenceDevice } from '@quern/runtime';
import { afterAll, describe, expect, it } from 'vitest';
import { checkpointOf } from './architectures.ts';
import { allLogits, maxDifference, openWith, withModel } from './recorded.ts';

const devices = [referenceDevice(), await cpuDevice({ threads: 2 })];
afterAll(() => Promise.all(devices.map((device) => device.dispose())));

const open = () => openWith('models/arch/mistral', { 'llama.attention.sliding_window': { type: 'uint32', value: 16 } });
const text = (seed: number): Int32Array =>
  Int32Array.from({ length: 150 }, (_, i) => (i * i * 7 + 31 * i + seed) % 512);
const ring = { batchTokens: 10, blockTokens: 4, cells: 400, maxSequences: 2 };

describe.each(devices)('a ring on the $name device', (device) => {
  it('gives the logits of a cache of all positions, in less memory', async () => {
    const whole = { batchTokens: 150, cells: 152 }; // its ring would be longer than its cache
    const [expected, paged] = await withModel(await open(), device, whole, async (model) => {
      expect(model.state.usesSlots).toBe(false);
      return [await allLogits(model, text(3)), model.memory.kvBytes / model.blocks / model.blockTokens] as const;
    });
    await withModel(await open(), device, ring, async (model) => {
      expect(model.state.usesSlots).toBe(true);
      // (16 - 1 + 10) positions lie in 8 blocks of 4, wherever they begin.
      expect(model.memory.kvBytes).toBe(2 * 8 * 4 * paged);
      expect(maxDifference(await allLogits(model, text(3)), expected)).toBeLessThan(1e-4);
    });
  });

  it('keeps the sequences of different slots apart, and what is saved of them', async () => {
    await withModel(await open(), device, ring, async (model) => {
      const texts = [text(3), text(11)];
      const alone: Float32Array[] = [];
      for (const ids of texts) alone.push(await allLogits(model, ids));
      const { vocabSize } = model.hyperparameters;
      const row = async (ids: readonly Int32Array[], position: number, slots: readonly number[]) => {
        const logits = await model.forward({
          tokens: Int32Array.from(ids, (of) => of[position]!),
          positions: Int32Array.from(ids, () => position),
          seqs: Int32Array.from(ids, (_, s) => s),
          blockTable: new Int32Array(ids.length * model.tableWidth), // nothing lies in blocks
          slots: Int32Array.from(slots),
          outputRows: Int32Array.from(ids, (_, s) => s),
        });
        return new Float32Array((await model.device.read(logits)).slice().buffer);
      };
      for (let position = 0; position < 60; position++) {
        const both = await row(texts, position, [1, 0]);
        for (const [s, expected] of alone.entries()) {
          const own = both.subarray(s * vocabSize, (s + 1) * vocabSize);
          const of = expected.subarray(position * vocabSize, (position + 1) * vocabSize);
          expect(maxDifference(own, of), `sequence ${s} at ${position}`).toBeLessThan(1e-4);
        }
      }
      // The first sequence goes on in the slot of the second.
      model.state.restore(await model.state.snapshot({ blocks: [], slot: 1 }), { blocks: [], slot: 0 });
      for (let position = 60; position < 90; position++)
        expect(
          maxDifference(
            await row([texts[0]!], position, [0]),
            alone[0]!.subarray(position * vocabSize, (position + 1) * vocabSize),
          ),
        ).toBeLessThan(1e-4);
    });
  });
});

const gemma = checkpointOf('gemma3');
describe('a summary of a model with windows', () => {
  it.skipIf(!gemma)(`tells the rope base of both kinds of blocks${gemma ? '' : ' (skipped: no gemma3)'}`, async () => {
    const view = await openWith(gemma!);
    // As its config.json says for full_attention and sliding_attention.
    expect(hyperparameters(view)).toMatchObject({ ropeFreqBase: 1e6, windowRopeFreqBase: 1e4 });
    await view.close();
  });
});
