// Draft blocks (MTP) against blocks put together from transformers' modules (data/draft/README.md), and what loading them
// must not change.
import { type DraftPairs, type Model, type OutputBatch, openModel, planPlacement, type SplitMode } from '@quern/models';
import { cpuDevice, type Device, referenceDevice } from '@quern/runtime';
import { afterAll, describe, expect, it } from 'vitest';
import { checkpointOf } from './architectures.ts';
import { allLogits, maxDifference, recordedFloats, recordedInts, recordedTensor, withModel } from './recorded.ts';

const golden = 'golden/data/draft/draft.safetensors';
const SECOND_TOKEN = 7;
const TOLERANCE = 5e-4;
const splitsByRows = ['exaonemoe'];

const cpu = await cpuDevice({ threads: 2 });
const other = await cpuDevice({ threads: 1 });
const reference = referenceDevice();
afterAll(() => Promise.all([cpu, other, reference].map((device) => device.dispose())));

const upTo = (first: number, end: number) => Int32Array.from({ length: end - first }, (_, i) => first + i);

/** Positions `first` … of one sequence in cache blocks in order. */
function sequence(model: Model, tokens: Int32Array, first: number): OutputBatch {
  const rows = upTo(0, tokens.length);
  return {
    tokens,
    positions: upTo(first, first + tokens.length),
    seqs: new Int32Array(tokens.length),
    blockTable: upTo(0, model.tableWidth),
    outputRows: rows,
  };
}

const read = async (model: Model, logits: Awaited<ReturnType<Model['forward']>>) =>
  new Float32Array((await model.device.read(logits)).slice().buffer);

/** The pairs of all tokens but the last with those that follow, in pieces of so many tokens; [ids.length − 1, vocab]. */
async function draftLogits(model: Model, ids: Int32Array, piece: number): Promise<Float32Array> {
  const parts: Float32Array[] = [];
  for (let first = 0; first < ids.length; first += piece) {
    const end = Math.min(first + piece, ids.length);
    const batch = sequence(model, ids.subarray(first, end), first);
    if (first % (2 * piece) === 0) await model.prefill(batch);
    else await model.forward(batch);
    const next = ids.subarray(first + 1, Math.min(end, ids.length - 1) + 1);
    if (next.length === 0) continue;
    const pairs: DraftPairs = { from: 'network', hiddenRows: upTo(0, next.length) };
    parts.push(await read(model, await model.draft!.forward({ ...sequence(model, next, first), ...pairs })));
  }
  return Float32Array.from(parts.flatMap((part) => [...part]));
}

/** One step more: the block's own hidden state, and a token. */
const secondLogits = async (model: Model, position: number, hiddenRow: number) =>
  read(
    model,
    await model.draft!.forward({
      ...sequence(model, Int32Array.of(SECOND_TOKEN), position),
      ...{ from: 'draft', hiddenRows: Int32Array.of(hiddenRow) },
    }),
  );

describe.each(['qwen35', 'qwen35moe', 'glm4moelite', 'exaonemoe', 'nemotronh-moe', 'bailingmoe3'])('%s', (name) => {
  const folder = checkpointOf(name);
  if (!folder) {
    it.skip(`skipped: no checkpoint of ${name} in test/models/arch, nor in QUERN_MODELS`);
    return;
  }
  const { shape, bytes } = recordedTensor(`${folder}/expected.safetensors`, 'input_ids');
  const ids = new Int32Array(bytes, 0, shape[1]);
  const rows = recordedInts(golden, `${name}.rows`);
  const expected = recordedFloats(golden, `${name}.logits`);
  const sizes = { batchTokens: 64, cells: 64, draft: true };
  const width = expected.length / rows.length;
  const recorded = (all: Float32Array) =>
    Float32Array.from([...rows].flatMap((row) => [...all.subarray(row * width, (row + 1) * width)]));

  const places: [string, Device | readonly Device[], SplitMode?][] = [
    ['the reference device', reference],
    ['the CPU', cpu],
    ['two devices', [other, cpu]],
  ];
  if (splitsByRows.includes(name)) places.push(['two devices that split rows', [other, cpu], 'row']);

  it.each(places)(
    'gives the logits of its modules on %s, and one step further',
    async (_, devices, split = 'layer') => {
      await withModel(await openModel(folder), devices, { ...sizes, split }, async (model) => {
        const ours = await draftLogits(model, ids, ids.length);
        expect(maxDifference(recorded(ours), expected)).toBeLessThan(TOLERANCE);
        const second = await secondLogits(model, ids.length - 1, ids.length - 2);
        expect(maxDifference(second, recordedFloats(golden, `${name}.second`))).toBeLessThan(TOLERANCE);
      });
    },
  );

  it('goes on from piece to piece, and from a snapshot', async () => {
    await withModel(await openModel(folder), cpu, { ...sizes, batchTokens: 48, slots: 2 }, async (model) => {
      expect(maxDifference(recorded(await draftLogits(model, ids, 7)), expected)).toBeLessThan(TOLERANCE);
      const place = { blocks: [0, 1], slot: 0 };
      const snapshot = await model.state.snapshot(place);
      expect(snapshot.length).toBe(model.state.snapshotBytes(2, true));
      await draftLogits(model, ids.slice().reverse(), 48);
      model.state.restore(snapshot, place);
      // The hidden state of the last token, once more: what lies before it must be there again.
      await model.forward(sequence(model, ids.subarray(ids.length - 2, ids.length - 1), ids.length - 2));
      const last = { from: 'network', hiddenRows: Int32Array.of(0) } as const;
      const batch = sequence(model, ids.subarray(ids.length - 1), ids.length - 2);
      if (!model.state.usesSlots) {
        await model.draft!.prefill({ ...batch, ...last });
        const second = await secondLogits(model, ids.length - 1, 0);
        expect(maxDifference(second, recordedFloats(golden, `${name}.second`))).toBeLessThan(TOLERANCE);
      }
    });
  });

  it('changes nothing of the network, and costs what was counted', async () => {
    const view = await openModel(folder);
    const plain = { batchTokens: 64, cells: 64 };
    const capacity = { name: 'cpu', limits: cpu.limits };
    const bytes = (options: Parameters<typeof planPlacement>[2]) =>
      planPlacement(view, [capacity], options).devices.map(
        ({ weightBytes, kvBytes, activationBytes }) => weightBytes + kvBytes + activationBytes,
      )[0]!;
    const without = await withModel(
      await openModel(folder),
      referenceDevice({ memoryBytes: bytes(plain) }),
      plain,
      async (model) => {
        expect(model.draft).toBeUndefined();
        return allLogits(model, ids);
      },
    );
    const exact = referenceDevice({ memoryBytes: bytes(sizes) });
    await withModel(await openModel(folder), exact, sizes, async (model) => {
      expect(await allLogits(model, ids)).toEqual(without);
      expect(model.draft!.count).toBe(1);
    });
    const tooSmall = referenceDevice({ memoryBytes: bytes(sizes) - 1 });
    await expect(withModel(view, tooSmall, sizes, async () => {})).rejects.toMatchObject({ code: 'model-too-large' });
    await view.close();
    expect(bytes(sizes)).toBeGreaterThan(bytes(plain));
  });
});

it('refuses a model that has none, and pairs that do not fit', async () => {
  const [plain, drafting] = ['llama3', 'qwen35'].map((name) => checkpointOf(name)!);
  await expect(withModel(await openModel(plain!), cpu, { draft: true }, async () => {})).rejects.toMatchObject({
    code: 'no-draft-blocks',
  });
  await withModel(await openModel(drafting!), cpu, { batchTokens: 4, draft: true }, async (model) => {
    const batch = sequence(model, Int32Array.of(1, 2), 0);
    await model.forward(batch);
    for (const wrong of [{ block: 1 }, { hiddenRows: Int32Array.of(0) }, { hiddenRows: Int32Array.of(0, 4) }])
      await expect(
        model.draft!.forward({ ...batch, from: 'network', hiddenRows: Int32Array.of(0, 1), ...wrong }),
      ).rejects.toMatchObject({ code: 'batch-invalid' });
  });
});
