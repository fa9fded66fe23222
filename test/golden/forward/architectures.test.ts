// What every architecture must do, whatever its blocks are made of: give transformers' logits; give the same whether a
// prompt comes whole or in pieces, alone or beside others, wherever its state lies; and go on from a state that was
// taken to the host and brought back to another place, or copied.
import { type Model, openModel } from '@quern/models';
import { cpuDevice, referenceDevice } from '@quern/runtime';
import { afterAll, describe, expect, it } from 'vitest';
import { architectureRows, checkpointOf } from './architectures.ts';
import { allLogits, maxDifference, recordedFloats, recordedTensor, withModel } from './recorded.ts';

const cpu = await cpuDevice({ threads: 2 });
const devices = [referenceDevice(), cpu];
afterAll(() => Promise.all(devices.map((device) => device.dispose())));

const BLOCK_TOKENS = 8;
/** Kernels add in another order for few tokens than for many, and in another order in a chunk than one by one. */
const OTHER_BATCHES = 2e-4;

/** Where a sequence is. */
interface Place {
  readonly blocks: readonly number[];
  readonly slot: number;
}

/** Computes `ids` from position `first` on, in pieces of the given sizes, over and over; [ids.length, vocab]. */
async function continued(model: Model, ids: Int32Array, first: number, place: Place, pieces: readonly number[]) {
  const rows: Float32Array[] = [];
  for (let done = 0, piece = 0; done < ids.length; piece++) {
    const tokens = ids.subarray(done, done + pieces[piece % pieces.length]!);
    rows.push(...(await computed(model, [{ tokens, first: first + done, place }])));
    done += tokens.length;
  }
  return joined(rows);
}

interface Piece {
  readonly tokens: Int32Array;
  readonly first: number;
  readonly place: Place;
}

/** One batch of pieces of several sequences; the logits of every token, piece by piece. */
async function computed(model: Model, pieces: readonly Piece[]): Promise<Float32Array[]> {
  const rows = pieces.flatMap(({ tokens, first }, seq) =>
    [...tokens].map((token, i) => ({ token, position: first + i, seq })),
  );
  const blockTable = new Int32Array(pieces.length * model.tableWidth).fill(-1);
  for (const [seq, { place }] of pieces.entries()) blockTable.set(place.blocks, seq * model.tableWidth);
  const logits = await model.forward({
    tokens: Int32Array.from(rows, ({ token }) => token),
    positions: Int32Array.from(rows, ({ position }) => position),
    seqs: Int32Array.from(rows, ({ seq }) => seq),
    blockTable,
    slots: Int32Array.from(pieces, ({ place }) => place.slot),
    outputRows: Int32Array.from(rows, (_, row) => row),
  });
  const values = new Float32Array((await model.device.read(logits)).slice().buffer);
  const { vocabSize } = model.hyperparameters;
  let row = 0;
  return pieces.map(({ tokens }) => values.slice(row * vocabSize, (row += tokens.length) * vocabSize));
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Of the texts of a recording: ids and transformers' logits. */
function recordedTexts(folder: string) {
  const file = `${folder}/expected.safetensors`;
  const { shape, bytes } = recordedTensor(file, 'input_ids');
  const [texts, tokens] = shape as [number, number];
  const logits = recordedFloats(file, 'logits');
  const vocab = logits.length / texts / tokens;
  return Array.from({ length: texts }, (_, text) => ({
    ids: new Int32Array(bytes, 4 * text * tokens, tokens),
    logits: logits.subarray(text * tokens * vocab, (text + 1) * tokens * vocab),
  }));
}

/** The first choice of every row has, in the other's eyes, a logit as good as the best up to `tolerance`. */
function expectSameChoices(ours: Float32Array, theirs: Float32Array, vocab: number, tolerance: number): void {
  for (let row = 0; row < theirs.length / vocab; row++) {
    const [own, other] = [ours, theirs].map((logits) => logits.subarray(row * vocab, (row + 1) * vocab));
    const choice = own!.indexOf(Math.max(...own!));
    expect(other![choice]!, `choice at ${row}`).toBeGreaterThanOrEqual(Math.max(...other!) - 2 * tolerance);
  }
}

describe.each(architectureRows)('$name', ({ name, tolerance = 1e-4 }) => {
  const folder = checkpointOf(name);
  if (!folder) {
    it.skip(`skipped: no checkpoint of ${name} in test/models/arch, nor in QUERN_MODELS`);
    return;
  }
  const texts = recordedTexts(folder);
  const [{ ids }] = texts as [(typeof texts)[0]];
  const half = Math.floor(ids.length / 2) + 1;
  const perSequence = Math.ceil(ids.length / BLOCK_TOKENS);
  /** Blocks of place n lie apart from each other and from those of the others. */
  const places: Place[] = [2, 0, 1].map((slot, n) => ({
    blocks: Array.from({ length: perSequence }, (_, i) => 3 * (perSequence - 1 - i) + n),
    slot,
  }));
  const withRoom = async (use: (model: Model) => Promise<void>): Promise<void> =>
    withModel(
      await openModel(folder),
      cpu,
      {
        batchTokens: 3 * ids.length,
        cells: 3 * perSequence * BLOCK_TOKENS,
        blockTokens: BLOCK_TOKENS,
        maxSequences: 3,
      },
      use,
    );
  const whole = (model: Model, of: Int32Array) => continued(model, of, 0, places[0]!, [of.length]);

  it.each(devices)('gives the logits of transformers on the $name device', async (device) => {
    await withModel(await openModel(folder), device, { batchTokens: ids.length }, async (model) => {
      for (const { ids: text, logits } of texts) {
        const ours = await allLogits(model, text);
        expect(maxDifference(ours, logits)).toBeLessThan(tolerance);
        expectSameChoices(ours, logits, model.hyperparameters.vocabSize, tolerance);
      }
    });
  });

  it('computes a prompt in pieces as a whole', async () => {
    await withRoom(async (model) => {
      const expected = await whole(model, ids);
      for (const pieces of [[1], [half], [7, 1, 16]])
        expect(maxDifference(await continued(model, ids, 0, places[1]!, pieces), expected)).toBeLessThan(OTHER_BATCHES);
    });
  });

  it('computes sequences of one batch as each alone', async () => {
    await withRoom(async (model) => {
      const sequences = [ids, ids.slice().reverse(), ids.slice(3)];
      const alone: Float32Array[] = [];
      for (const of of sequences) alone.push(await whole(model, of));
      const batch = (from: number, to: number) =>
        computed(
          model,
          sequences.map((of, s) => ({ tokens: of.subarray(from, to), first: from, place: places[s]! })),
        );
      const [first, second] = [await batch(0, half), await batch(half, ids.length)];
      for (const [s, expected] of alone.entries())
        expect(maxDifference(joined([first[s]!, second[s]!]), expected)).toBeLessThan(OTHER_BATCHES);
    });
  });

  it('goes on from a state that was saved, moved or copied', async () => {
    await withRoom(async (model) => {
      const expected = (await whole(model, ids)).slice(half * model.hyperparameters.vocabSize);
      const rest = ids.subarray(half);
      const [here, there, elsewhere] = places as [Place, Place, Place];
      await continued(model, ids.subarray(0, half), 0, here, [half]);
      const saved = await model.state.snapshot(here);
      expect(saved.length).toBe(model.state.snapshotBytes(perSequence, true));
      await model.state.copy(here, elsewhere);
      // Another text runs over the places; of the state itself nothing is left there.
      await whole(model, ids.slice().reverse());
      await continued(model, ids.slice().reverse(), 0, there, [half]);
      model.state.restore(saved, there);
      for (const place of [there, elsewhere])
        expect(maxDifference(await continued(model, rest, half, place, [5, 1]), expected)).toBeLessThan(OTHER_BATCHES);
      expect(() => model.state.restore(saved.subarray(4), there)).toThrow(
        expect.objectContaining({ code: 'state-invalid' }),
      );
      await expect(model.state.snapshot({ blocks: [-1], slot: 0 })).rejects.toMatchObject({ code: 'state-invalid' });
    });
  });
});
