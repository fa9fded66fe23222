// Biases beside packed weights that the architecture has no place for: zeros are left out, others refused.
import { fileURLToPath } from 'node:url';
import { type HfCheckpoint, openHfCheckpoint, type TensorView } from '@quern/checkpoint';
import { afterEach, describe, expect, it } from 'vitest';
import { plainCheckpointOf } from '../to-huggingface/plain-checkpoint-of.ts';
import { hfModelView } from './hf-model-view.ts';

const models = fileURLToPath(new URL('../../../../test/models', import.meta.url));
const opened: HfCheckpoint[] = [];
const open = async (folder: string) => {
  const checkpoint = await openHfCheckpoint(`${models}/${folder}`);
  opened.push(checkpoint);
  return checkpoint;
};
afterEach(async () => {
  for (const checkpoint of opened.splice(0)) await checkpoint.close();
});

/** `packed/gptq`, with the tokenizer of the model it was made of. */
async function gptq(change: (tensors: Map<string, TensorView>) => void = () => {}): Promise<HfCheckpoint> {
  const [packed, plain] = await Promise.all([open('packed/gptq'), open('arch/llama3')]);
  const tensors = new Map(packed.tensors);
  change(tensors);
  return { ...packed, tensors, readText: plain.readText, readBytes: plain.readBytes };
}

const name = 'model.layers.2.self_attn.v_proj.bias';

it('zeros are left out, and counted', async () => {
  const { tensors, notes } = await hfModelView(await gptq());
  expect([...tensors.keys()].filter((tensor) => tensor.endsWith('.bias'))).toEqual([]);
  expect(notes).toContain('left out: 28 biases of packed weights that are zero');
});

const notZero = (tensors: Map<string, TensorView>): void => {
  const readRows: TensorView['readRows'] = async (_first, _count, into) => void into.fill(0).fill(1, 7, 8);
  tensors.set(name, { ...tensors.get(name)!, readRows });
};

it('one that is not zero is refused', async () => {
  const refused = { code: 'tensors-unexpected', message: expect.stringContaining(name) };
  await expect(gptq(notZero).then(hfModelView)).rejects.toMatchObject(refused);
  await expect(gptq(notZero).then((checkpoint) => plainCheckpointOf(checkpoint, 'F32'))).rejects.toMatchObject(refused);
});

describe('in a checkpoint of plain numbers', () => {
  const biases = async (config: Record<string, unknown>, change?: (tensors: Map<string, TensorView>) => void) => {
    const checkpoint = await gptq(change);
    const plain = await plainCheckpointOf({ ...checkpoint, config: { ...checkpoint.config, ...config } }, 'F32');
    const names = [...plain.tensors.keys()].filter((tensor) => tensor.endsWith('.bias'));
    return { names, notes: plain.notes, remarks: plain.remarks };
  };

  it('zeros are left out, which is nothing lost', async () => {
    const remarks = ['left out: 28 biases of packed weights that are zero'];
    expect(await biases({})).toEqual({ names: [], notes: [], remarks });
  });

  it('those that the architecture has stay, zero or not', async () => {
    const { names } = await biases({ attention_bias: true }, notZero);
    expect(names.length).toBe(16);
    expect(names).toContain(name);
    const qwen = await biases({ architectures: ['Qwen2ForCausalLM'] }, notZero);
    expect(qwen.names.length).toBe(12);
  });

  it('all stay where nobody knows the architecture', async () => {
    expect(await biases({ architectures: ['NewForCausalLM'] }, notZero)).toMatchObject({ remarks: [] });
    expect((await biases({ architectures: ['NewForCausalLM'] })).names.length).toBe(28);
  });
});

it('one beside a plain weight is refused unread', async () => {
  const checkpoint = await gptq((tensors) => {
    const { packed: _, ...weight } = tensors.get(name.replace('bias', 'weight'))!;
    tensors.set(weight.name, weight);
  });
  await expect(hfModelView(checkpoint)).rejects.toMatchObject({ code: 'tensors-unexpected' });
});
