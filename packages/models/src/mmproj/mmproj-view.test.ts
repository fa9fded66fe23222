// What a tower is refused for, before its weights are read; the files themselves are compared in test/golden/mmproj.test.ts.
import type { TensorView } from '@quern/checkpoint';
import { afterEach, describe, expect, it } from 'vitest';
import { type Change, changedCheckpoint, closeChanged, refusal } from '../testing/changed-checkpoint.ts';
import { mmprojView } from './mmproj-view.ts';

afterEach(closeChanged);

const model = 'qwen35-vl-wrapper';
const open = async (change: Change) => mmprojView(await changedCheckpoint({ model, ...change }));

const tower = {
  ...{ depth: 1, hidden_act: 'gelu_pytorch_tanh', hidden_size: 32, intermediate_size: 48, num_heads: 2 },
  ...{ num_position_embeddings: 16, out_hidden_size: 48, patch_size: 4, spatial_merge_size: 2, temporal_patch_size: 2 },
};
const withTower = (change: object): Change => ({ config: { vision_config: { ...tower, ...change } } });
const isTower = (name: string) => name.includes('visual.');
const without = (wanted: (name: string) => boolean) => (tensors: Map<string, TensorView>) => {
  for (const name of [...tensors.keys()]) if (wanted(name)) tensors.delete(name);
};

describe('a tower', () => {
  it.each<[string, Change, string, RegExp]>([
    ['of a text model', { model: 'qwen3' }, 'mmproj-none', /no vision or audio tower.*Leave --mmproj out/],
    [
      'of a class nobody knows',
      { config: { architectures: ['Qwen9VLForConditionalGeneration'] } },
      'mmproj-unknown',
      /vision tower of Qwen9VLForConditionalGeneration.*Qwen3VLForConditionalGeneration/,
    ],
    [
      'with sound beside it that nobody knows',
      { config: { audio_config: { hidden_size: 32 } } },
      'mmproj-unknown',
      /The audio tower of Qwen3_5/,
    ],
    ['that was left out of the weights', { tensors: without(isTower) }, 'mmproj-empty', /holds no tensor of it/],
    [
      'that lacks a tensor',
      { tensors: without((name) => name.endsWith('visual.blocks.0.attn.qkv.bias')) },
      'tensors-missing',
      /visual\.blocks\.0\.attn\.qkv\.bias/,
    ],
    [
      'with a tensor too many',
      {
        tensors: (tensors) => {
          const name = 'model.visual.blocks.0.gate.weight';
          tensors.set(name, { ...tensors.get('model.visual.merger.norm.weight')!, name });
        },
      },
      'tensors-unexpected',
      /visual\.blocks\.0\.gate\.weight/,
    ],
    ['of other sizes', withTower({ intermediate_size: 64 }), 'tensors-wrong-shape', /\[48,32\].*\[64,32\]/],
    ['of heads that do not divide it', withTower({ num_heads: 3 }), 'config-bad-value', /3 heads of the vision tower/],
    ['of more blocks', withTower({ depth: 2 }), 'tensors-missing', /visual\.blocks\.1/],
    ['of very many blocks', withTower({ depth: 1e9 }), 'config-bad-value', /"depth" is 1000000000/],
    ['with another activation', withTower({ hidden_act: 'quick_gelu' }), 'unsupported-config', /quick_gelu/],
    ['that turns otherwise', withTower({ rope_theta: 100 }), 'unsupported-config', /"rope_theta": 100 /],
    ['with frames of its own', withTower({ temporal_patch_size: 4 }), 'unsupported-config', /two frames/],
    [
      'whose merger is of no block',
      withTower({ deepstack_visual_indexes: [1] }),
      'config-bad-value',
      /blocks from 0 to 0/,
    ],
    ['with a key nobody reads', withTower({ window_size: 112 }), 'config-key-unknown', /"window_size": 112/],
  ])('%s is refused', async (_, change, code, text) => {
    expect(await refusal(change, open)).toEqual({ code, text: expect.stringMatching(text) });
  });

  it.each<[string, string, RegExp]>([
    ['two means', '{"image_mean": [0.5, 0.5]}', /"image_mean" is \[0\.5,0\.5\]/],
    ['a deviation of 0', '{"image_std": [1, 0, 1]}', /"image_std" is \[1,0,1\]/],
    ['no JSON', '{', /not JSON/],
  ])('whose preprocessor says %s is refused', async (_, text, message) => {
    const read = async (change: Change) => {
      const checkpoint = await changedCheckpoint({ model, ...change });
      const readText = async (name: string) => (name === 'preprocessor_config.json' ? text : checkpoint.readText(name));
      return mmprojView({ ...checkpoint, readText });
    };
    expect(await refusal({}, read)).toEqual({
      code: 'processor-bad-config',
      text: expect.stringMatching(message),
    });
  });

  it('says how many tensors it is made of, and whose pixels it takes', async () => {
    const { notes } = await open({});
    expect(notes).toEqual([
      expect.stringMatching(/says image_mean and image_std: those of published models/),
      "Qwen3-VL vision tower: all 22 tensors of the mmproj file, made of 21 of the checkpoint's 21",
    ]);
  });
});
