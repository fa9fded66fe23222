// What the lens refuses of mixtures of experts, and how it stacks what a checkpoint stores expert by expert. What it
// accepts is compared with llama.cpp's converter in test/golden/convert-metadata.test.ts.
import { dtypeByName } from '@quern/blocks';
import type { TensorView } from '@quern/checkpoint';
import { afterEach, describe, expect, it } from 'vitest';
import { joined } from '../change/joined.ts';
import { type Change, closeChanged, refusal, view } from '../testing/changed-checkpoint.ts';

afterEach(closeChanged);

const stackedTensor = (name: string, views: readonly TensorView[]) =>
  joined(name, views, [views.length, ...views[0]!.shape]);

const up = (expert: number) => `model.layers.1.mlp.experts.${expert}.up_proj.weight`;

describe('a mixture of experts', () => {
  it.each<[string, Change, string, RegExp]>([
    [
      'an expert missing',
      { model: 'qwen3moe', tensors: (all) => void all.delete(up(7)) },
      'tensors-missing',
      /layers\.1\.mlp\.experts\.7\.up_proj/,
    ],
    [
      'an expert too many',
      { model: 'qwen3moe', tensors: (all) => void all.set(up(8), all.get(up(7))!) },
      'tensors-unexpected',
      /experts\.8\.up_proj/,
    ],
    [
      'fewer experts than config.json promises',
      { model: 'qwen3moe', config: { num_local_experts: 9 } },
      'tensors-missing',
      /experts\.8\.gate_proj/,
    ],
    [
      'a promise of millions of experts',
      { model: 'qwen3moe', config: { num_local_experts: 512, num_hidden_layers: 4096 } },
      'tensors-missing',
      /4096 layers of 512 experts/,
    ],
    [
      'a dense block',
      { model: 'qwen2moe', config: { mlp_only_layers: [0] } },
      'unsupported-config',
      /"mlp_only_layers": \[0\]/,
    ],
    ['dense blocks between', { model: 'qwen3moe', config: { decoder_sparse_step: 2 } }, 'unsupported-config', /step/],
    [
      'weights that llama.cpp would normalize',
      { model: 'qwen3moe', config: { norm_topk_prob: false } },
      'unsupported-config',
      /"norm_topk_prob": false \(/,
    ],
    [
      'weights that llama.cpp would normalize, by default',
      { model: 'qwen3moe', config: { norm_topk_prob: undefined } },
      'unsupported-config',
      /"norm_topk_prob": false by default/,
    ],
    [
      'weights that llama.cpp would not normalize',
      { model: 'qwen2moe', config: { norm_topk_prob: true } },
      'unsupported-config',
      /norm_topk_prob/,
    ],
    ['no biases of q, k, v', { model: 'qwen2moe', config: { qkv_bias: false } }, 'unsupported-config', /qkv_bias/],
    [
      'biases that GGUF has no place for',
      { model: 'qwen3moe', config: { attention_bias: true } },
      'unsupported-config',
      /attention_bias/,
    ],
    [
      'biases that Mixtral has not',
      { model: 'mixtral', config: { attention_bias: true } },
      'unsupported-config',
      /attention_bias/,
    ],
    [
      'windows in some layers',
      { model: 'qwen2moe', config: { use_sliding_window: true } },
      'unsupported-config',
      /use_sliding_window/,
    ],
    [
      'more experts used than there are',
      { model: 'mixtral', config: { num_experts_per_tok: 5 } },
      'config-bad-value',
      /5 "num_experts_per_tok" of 4 "num_local_experts"/,
    ],
    [
      'two numbers of experts',
      { model: 'mixtral', config: { num_experts: 3 } },
      'config-bad-value',
      /"num_experts" is 3 and "num_local_experts".* is 4/,
    ],
    [
      'more experts than any model has',
      { model: 'mixtral', config: { num_local_experts: 1e6 } },
      'config-bad-value',
      /num_local_experts/,
    ],
    [
      'an expert of another shape',
      { model: 'qwen3moe', tensors: (all) => void all.set(up(3), { ...all.get(up(3))!, shape: [64, 32] }) },
      'tensors-wrong-shape',
      /experts\.3\.up_proj.weight is \[64,32\]/,
    ],
    [
      'experts of different types',
      {
        model: 'qwen3moe',
        tensors: (all) => void all.set(up(3), { ...all.get(up(3))!, dtype: dtypeByName('F16') }),
      },
      'tensors-unsupported-dtype',
      /experts\.3\.up_proj.weight is F16, .*experts\.0\.up_proj.weight is BF16/,
    ],
  ])('is refused with %s', async (_, change, code, text) => {
    expect(await refusal(change)).toEqual({ code, text: expect.stringMatching(text) });
  });

  it('may name its experts the old way', async () => {
    const config = { num_experts: 8, num_local_experts: undefined };
    const { metadata } = await view({ model: 'qwen3moe', config });
    expect(metadata.get('qwen3moe.expert_count')?.value).toBe(8);
  });

  it('has its stacks where the last expert of the block lies', async () => {
    const { tensors } = await view({
      model: 'mixtral',
      tensors: (all) => {
        for (const [name, tensor] of all) all.set(name, { ...tensor, file: /experts\.2\.w1/.test(name) ? 'b' : 'a' });
      },
    });
    const names = [...tensors.keys()];
    // Of block 0 one part is in the last file, as of all blocks, so all stacks come last.
    expect(names.slice(-12, -8)).toEqual([
      'blk.0.ffn_gate_exps.weight',
      'blk.0.ffn_down_exps.weight',
      'blk.0.ffn_up_exps.weight',
      'blk.1.ffn_gate_exps.weight',
    ]);
  });
});

describe('experts that transformers 5 has fused', () => {
  /** The checkpoint's experts joined as transformers joins them, from the bytes of the file. */
  const fuse = (rename: (name: string) => string, [gate, up, down]: readonly [string, string, string]) => {
    return (all: Map<string, TensorView>) => {
      const blocks = new Map<string, Map<string, TensorView[]>>();
      for (const [name, tensor] of [...all]) {
        const [, at, , part] = /^(.*\.experts)\.(\d+)\.(\w+)\.weight$/.exec(name) ?? [];
        all.delete(name);
        if (!at) {
          all.set(rename(name), { ...tensor, name: rename(name) });
          continue;
        }
        const parts = blocks.get(rename(at)) ?? new Map<string, TensorView[]>();
        blocks.set(rename(at), parts.set(part!, [...(parts.get(part!) ?? []), tensor]));
      }
      const joined = (name: string, matrices: readonly TensorView[], experts: number): TensorView => {
        const { rows, ...stack } = stackedTensor(name, matrices);
        return { ...stack, rows, shape: [experts, rows / experts, stack.cols] };
      };
      for (const [at, parts] of blocks) {
        const count = parts.get(gate)!.length;
        const both = parts.get(gate)!.flatMap((matrix, expert) => [matrix, parts.get(up)![expert]!]);
        all.set(`${at}.gate_up_proj`, joined(`${at}.gate_up_proj`, both, count));
        all.set(`${at}.down_proj`, joined(`${at}.down_proj`, parts.get(down)!, count));
      }
    };
  };
  const bytesOf = async (tensors: ReadonlyMap<string, TensorView>) => {
    const found = new Map<string, Uint8Array>();
    for (const [name, tensor] of tensors) {
      if (!/_exps|gate_inp/.test(name)) continue;
      const bytes = new Uint8Array(tensor.rows * tensor.rowBytes);
      await tensor.readRows(0, tensor.rows, bytes);
      found.set(name, bytes);
    }
    return found;
  };

  it.each<[string, (name: string) => string, readonly [string, string, string]]>([
    ['qwen2moe', (name) => name, ['gate_proj', 'up_proj', 'down_proj']],
    ['qwen3moe', (name) => name, ['gate_proj', 'up_proj', 'down_proj']],
    ['mixtral', (name) => name.replace('block_sparse_moe', 'mlp'), ['w1', 'w3', 'w2']],
  ])('are the same stacks: %s', async (model, rename, parts) => {
    const apart = await view({ model, readable: true });
    const fused = await view({ model, readable: true, tensors: fuse(rename, parts) });
    expect(await bytesOf(fused.tensors)).toEqual(await bytesOf(apart.tensors));
    expect([...fused.tensors.keys()].sort()).toEqual([...apart.tensors.keys()].sort());
  });

  it('are refused with another number of experts', async () => {
    const join = fuse((name) => name, ['gate_proj', 'up_proj', 'down_proj']);
    const error = await refusal({
      model: 'qwen3moe',
      tensors: (all) => {
        join(all);
        const name = 'model.layers.0.mlp.experts.gate_up_proj';
        const [experts, rows, cols] = all.get(name)!.shape as [number, number, number];
        all.set(name, { ...all.get(name)!, shape: [experts / 2, 2 * rows, cols] });
      },
    });
    expect(error).toEqual({ code: 'tensors-wrong-shape', text: expect.stringContaining('gate_up_proj') });
  });
});
