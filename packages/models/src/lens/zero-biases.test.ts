// Biases beside packed weights that the architecture has no place for: zeros are left out, others refused.
import { fileURLToPath } from 'node:url';
import { type HfCheckpoint, openHfCheckpoint, type TensorView } from '@quern/checkpoint';
import { afterEach, expect, it } from 'vitest';
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

it('one that is not zero is refused', async () => {
  const checkpoint = await gptq((tensors) => {
    const bias = tensors.get(name)!;
    const readRows: TensorView['readRows'] = async (_first, _count, into) => void into.fill(0).fill(1, 7, 8);
    tensors.set(name, { ...bias, readRows });
  });
  await expect(hfModelView(checkpoint)).rejects.toMatchObject({
    code: 'tensors-unexpected',
    message: expect.stringContaining(name),
  });
});

it('one beside a plain weight is refused unread', async () => {
  const checkpoint = await gptq((tensors) => {
    const { packed: _, ...weight } = tensors.get(name.replace('bias', 'weight'))!;
    tensors.set(weight.name, weight);
  });
  await expect(hfModelView(checkpoint)).rejects.toMatchObject({ code: 'tensors-unexpected' });
});
