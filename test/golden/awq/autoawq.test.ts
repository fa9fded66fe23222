// The search against AutoAWQ 0.2.9's own, on the same text: the loss of every ratio it has looked at, the scales it chose,
// and the codes of the first block.
import { calibrationSequences, embedTokens, type LayerResult, type PairScales, quantizeLayer } from '@quern/awq';
import type { ModelView } from '@quern/checkpoint';
import { hyperparameters, openModel } from '@quern/models';
import type { GroupedRows } from '@quern/packed';
import { cpuDevice, type Device } from '@quern/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dataPath, recordedTensors, tinyLlama } from './recorded.ts';

const grid = { bits: 4, groupSize: 128, symmetric: false, leastZero: 0 };
let view: ModelView;
let device: Device;
let theirs: ReadonlyMap<string, ArrayBuffer>;
const layers: LayerResult[] = [];

beforeAll(async () => {
  view = await openModel(tinyLlama);
  device = await cpuDevice({ threads: 2 });
  theirs = await recordedTensors('autoawq.safetensors');
  const sequences = await calibrationSequences(view, { file: dataPath('calibration.json'), samples: 64 });
  expect(sequences).toHaveLength(6);
  const states = await embedTokens(view, sequences);
  for (let block = 0; block < 4; block++) {
    const method = block === 0 ? ({ name: 'awq', clip: true } as const) : ({ name: 'scales' } as const);
    layers.push(await quantizeLayer({ view, device, block, grid, method }, states));
  }
});
afterAll(async () => {
  await device?.dispose();
  await view?.close();
});

const pairs = (): PairScales[] => layers.flatMap((layer) => layer.pairs);
const f32 = (name: string) => new Float32Array(theirs.get(name)!);
const losses = (i: number) => new Float64Array(theirs.get(`losses.${i}`)!);

describe('the search for scales', () => {
  it('looks at the same pairs', () => {
    expect(pairs().map(({ layers: readers }) => readers.join(' '))).toEqual(
      [0, 1, 2, 3].flatMap((b) => [
        `blk.${b}.attn_q.weight blk.${b}.attn_k.weight blk.${b}.attn_v.weight`,
        `blk.${b}.ffn_gate.weight blk.${b}.ffn_up.weight`,
        `blk.${b}.ffn_down.weight`,
      ]),
    );
  });

  it('chooses the same ratios, with the same losses', () => {
    for (const [i, { ratios, error }] of pairs().entries()) {
      const best = Math.min(...losses(i));
      expect(ratios).toEqual([losses(i).indexOf(best) / 20]);
      expect(Math.abs(error / best - 1)).toBeLessThan(2e-5);
    }
  });

  it('finds the same scales', () => {
    for (const [i, { scales }] of pairs().entries()) {
      const wanted = f32(`scales.${i}`);
      expect(scales.length).toBe(wanted.length);
      for (const [c, scale] of scales.entries()) expect(Math.abs(scale / wanted[c]! - 1)).toBeLessThan(1e-6);
    }
  });
});

describe('packed weights of the first block', () => {
  const modules = {
    'self_attn.q_proj': ['attn_q', 1],
    'self_attn.v_proj': ['attn_v', 0.995],
    'self_attn.o_proj': ['attn_output', 1],
    'mlp.down_proj': ['ffn_down', 0.985],
  } as const;

  // Where two clips of a group are equally good up to rounding, either may be chosen: then its codes differ.
  it.each(Object.entries(modules))('%s has the same codes, or nearly all', (module, [name, share]) => {
    const ours = layers[0]!.quantized.get(`blk.0.${name}.weight`)![0]!;
    const wanted = unpacked(module, ours.rows, ours.cols);
    const heads = name === 'attn_q' ? hyperparameters(view).headCount : undefined;
    let same = 0;
    for (let row = 0; row < ours.rows; row++) {
      const from = (heads === undefined ? row : transformersRow(row, ours.rows, heads)) * ours.cols;
      for (let c = 0; c < ours.cols; c++) if (ours.codes[row * ours.cols + c] === wanted.codes[from + c]) same++;
    }
    expect(same / ours.codes.length).toBeGreaterThan(share - 1e-4);
  });
});

/** Row 2j + s of a head here is row s·half + j there. */
function transformersRow(row: number, rows: number, heads: number): number {
  const size = rows / heads;
  const within = row % size;
  return row - within + (within % 2) * (size / 2) + Math.floor(within / 2);
}

/** AWQ gemm by its definition: nibble i of word c is output 8c + [0, 2, 4, 6, 1, 3, 5, 7][i]. */
function unpacked(module: string, rows: number, cols: number): Pick<GroupedRows, 'codes'> {
  const words = new Uint32Array(theirs.get(`${module}.qweight`)!);
  const codes = new Uint8Array(rows * cols);
  const place = [0, 2, 4, 6, 1, 3, 5, 7];
  for (let c = 0; c < cols; c++)
    for (let word = 0; word < rows / 8; word++)
      for (let i = 0; i < 8; i++)
        codes[(8 * word + place[i]!) * cols + c] = (words[c * (rows / 8) + word]! >>> (4 * i)) & 15;
  return { codes };
}
