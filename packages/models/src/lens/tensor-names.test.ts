// Names as programs leave them, and what is understood of them.
import type { TensorView } from '@quern/checkpoint';
import { afterEach, describe, expect, it } from 'vitest';
import { type Change, closeChanged, refusal, view } from '../testing/changed-checkpoint.ts';
import { coreOf } from './tensor-names.ts';

afterEach(closeChanged);

const renamed = (rename: (name: string) => string) => (tensors: Map<string, TensorView>) => {
  for (const [name, tensor] of [...tensors]) {
    tensors.delete(name);
    tensors.set(rename(name), { ...tensor, name: rename(name) });
  }
};

const withoutModel = (name: string) => name.replace(/^model\./, '');

it.each([
  ['model.layers.0.self_attn.q_proj.weight', 'layers.0.self_attn.q_proj.weight'],
  ['base_model.model.model.layers.0._orig_mod.mlp.up_proj.weight', 'layers.0.mlp.up_proj.weight'],
  ['_orig_mod.module.model.language_model.norm.weight', 'norm.weight'],
  ['language_model.lm_head.weight', 'lm_head.weight'],
  ['model.vision_tower.layers.0.norm.weight', 'vision_tower.layers.0.norm.weight'],
  ['model.mtp.norm.weight', 'mtp.norm.weight'],
])('%s is %s', (name, core) => expect(coreOf(name)).toBe(core));

describe('all names with other words in front are the same model', () => {
  it.each<[string, (name: string) => string]>([
    ['none', withoutModel],
    ['_orig_mod.', (name) => `_orig_mod.${name}`],
    ['module.', (name) => `module.${name}`],
    ['base_model.model.', (name) => `base_model.model.${name}`],
    ['language_model.', (name) => `language_model.${name}`],
    ['model.language_model.', (name) => name.replace(/^(model\.)?/, 'model.language_model.')],
    ['any other word', (name) => `student.net.${name}`],
    ['several', (name) => `module._orig_mod.${withoutModel(name)}`],
  ])('%s', async (_, rename) => {
    const usual = await view({ model: 'qwen3' });
    const { tensors, notes } = await view({ model: 'qwen3', tensors: renamed(rename) });
    expect([...tensors.keys()].sort()).toEqual([...usual.tensors.keys()].sort());
    expect(notes).toContainEqual(expect.stringMatching(/^\d+ tensor names are read with(out)? ".+".*, the first /));
  });

  it('as a class without its head', async () => {
    for (const architectures of [['Qwen3Model'], ['Qwen3TextModel'], undefined]) {
      const { metadata } = await view({ model: 'qwen3', config: { architectures }, tensors: renamed(withoutModel) });
      expect(metadata.get('general.architecture')?.value).toBe('qwen3');
    }
  });
});

describe('refused', () => {
  it.each<[string, Change, string, RegExp]>([
    [
      'names of another kind: what is there and what is nearest',
      { model: 'qwen3', tensors: renamed((name) => name.replace('self_attn.q_proj', 'self_attn.q_projection')) },
      'tensors-missing',
      /lacks model\.layers\.0\.self_attn\.q_proj\.weight.*It holds 4 others.*self_attn\.q_projection\.weight/,
    ],
    [
      'the same tensor twice',
      {
        model: 'qwen3',
        tensors: (all) => void all.set('norm.weight', { ...all.get('model.norm.weight')!, name: 'norm.weight' }),
      },
      'tensors-unexpected',
      /norm\.weight/,
    ],
    [
      'parts of an adapter',
      {
        model: 'qwen3',
        tensors: (all) => {
          const q = all.get('model.layers.0.self_attn.q_proj.weight')!;
          all.delete(q.name);
          all.set('base_model.model.model.layers.0.self_attn.q_proj.base_layer.weight', q);
          all.set('base_model.model.model.layers.0.self_attn.q_proj.lora_A.default.weight', q);
        },
      },
      'adapter-not-merged',
      /2 of 48 tensors.*base_layer.*merge_and_unload/,
    ],
    [
      'a class that is near to a known one',
      { config: { architectures: ['LamaForCausalLM'] } },
      'unknown-architecture',
      /Nearest: LlamaForCausalLM/,
    ],
    [
      'a class with another head',
      { config: { architectures: ['LlamaForSequenceClassification'] } },
      'unknown-architecture',
      /LlamaForSequenceClassification/,
    ],
  ])('%s', async (_, change, code, text) => {
    expect(await refusal(change)).toEqual({ code, text: expect.stringMatching(text) });
  });
});

/** test/models/arch holds what transformers names itself. */
it('names as transformers writes them are no news', async () => {
  const { notes } = await view({ model: 'qwen35-vl-wrapper' });
  expect(notes?.filter((note) => note.includes('tensor names'))).toEqual([]);
});
