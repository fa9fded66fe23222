// What the lens does to packed weights, it does to every form of them: decoded, all forms are the same weights.
import { fileURLToPath } from 'node:url';
import { codecOf } from '@quern/blocks';
import { type HfCheckpoint, openHfCheckpoint, type TensorView, withProvedForms } from '@quern/checkpoint';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { joined } from '../change/joined.ts';
import { halvesToPairs } from '../change/permuted-heads.ts';
import { placeWith } from '../testing/change-of-numbers.ts';
import { inEveryForm } from './packed-forms.ts';

const stackedTensor = (name: string, views: readonly TensorView[]) =>
  joined(name, views, [views.length, ...views[0]!.shape]);

const folder = (scheme: string) => fileURLToPath(new URL(`../../../../test/models/packed/${scheme}`, import.meta.url));
let gptq: HfCheckpoint;
let mixed: HfCheckpoint;
beforeAll(async () => {
  gptq = await openHfCheckpoint(folder('gptq'));
  mixed = await openHfCheckpoint(folder('compressed-tensors'));
});
afterAll(() => Promise.all([gptq.close(), mixed.close()]));

const gate = ({ tensors }: HfCheckpoint, layer: number): TensorView =>
  tensors.get(`model.layers.${layer}.mlp.gate_proj.weight`)!;

async function valuesOf(tensor: TensorView): Promise<number[]> {
  const bytes = new Uint8Array(tensor.rows * tensor.rowBytes);
  await tensor.readRows(0, tensor.rows, bytes);
  const values = new Float32Array(tensor.rows * tensor.cols);
  codecOf(tensor.dtype).decode(bytes, values);
  return [...values];
}

describe('inEveryForm', () => {
  it('stacks all forms', async () => {
    const parts = [gate(gptq, 0), gate(gptq, 2), gate(gptq, 1)];
    const stack = inEveryForm(parts, (views) => stackedTensor('stack', views));
    expect(stack).toMatchObject({ name: 'stack', shape: [3, 128, 64] });
    expect(stack.packed).toMatchObject({ format: 'gptq', exact: [{ values: 'same' }] });
    expect(stack.packed!.storedBytes).toBe(parts.reduce((sum, { packed }) => sum + packed!.storedBytes, 0));
    const values = (await Promise.all(parts.map(valuesOf))).flat();
    expect(await valuesOf(stack)).toEqual(values);
    const { view } = stack.packed!.exact[0]!;
    expect(view).toMatchObject({ name: 'stack', shape: [3, 128, 64], rows: 384, rowBytes: 36 });
    expect(await valuesOf(view)).toEqual(values);
  });

  it('reorders the rows of all forms alike', async () => {
    const tensor = inEveryForm([gate(gptq, 0)], ([view]) =>
      halvesToPairs('heads').toGguf(view!, placeWith({ heads: 8 }), view!.shape),
    );
    const values = await valuesOf(tensor);
    expect(values).not.toEqual(await valuesOf(gate(gptq, 0)));
    expect(await valuesOf(tensor.packed!.exact[0]!.view)).toEqual(values);
  });

  it('keeps the forms that all parts have, as exact as the least exact of them', () => {
    const stack = (...parts: TensorView[]) => inEveryForm(parts, (views) => stackedTensor('stack', views)).packed;
    const rounded = (tensor: TensorView): TensorView => ({
      ...tensor,
      packed: { ...tensor.packed!, exact: tensor.packed!.exact.map((form) => ({ ...form, values: 'scales-rounded' })) },
    });
    const formless = (tensor: TensorView): TensorView => ({ ...tensor, packed: { ...tensor.packed!, exact: [] } });
    expect(stack(gate(gptq, 0), rounded(gate(gptq, 1)))?.exact).toMatchObject([{ values: 'scales-rounded' }]);
    expect(stack(gate(gptq, 0), formless(gate(gptq, 1)))?.exact).toEqual([]);
    expect(stack(gate(gptq, 0), gate(mixed, 1))).toBeUndefined();
    const { packed: _, ...plain } = gate(gptq, 1);
    expect(stack(gate(gptq, 0), plain)).toBeUndefined();
  });

  it('proves a stack by the scales of all that need it', async () => {
    const proving = (tensor: TensorView, provesSame?: () => Promise<boolean>): TensorView => ({
      ...tensor,
      packed: {
        ...tensor.packed!,
        exact: tensor.packed!.exact.map((form) => ({
          ...form,
          values: 'scales-rounded',
          ...(provesSame && { provesSame }),
        })),
      },
    });
    const [yes, no] = [async () => true, async () => false];
    const outcome = async (...parts: TensorView[]) => {
      const stack = inEveryForm(parts, (views) => stackedTensor('stack', views));
      const { tensors } = await withProvedForms({ tensors: new Map([['stack', stack]]) });
      return tensors.get('stack')!.packed!.exact[0]!.values;
    };
    const parts = [0, 1, 2].map((i) => gate(gptq, i));
    expect(await outcome(proving(parts[0]!, yes), parts[1]!, proving(parts[2]!, yes))).toBe('same');
    expect(await outcome(proving(parts[0]!, yes), proving(parts[1]!, no), parts[2]!)).toBe('scales-rounded');
    expect(await outcome(proving(parts[0]!, yes), proving(parts[1]!), parts[2]!)).toBe('scales-rounded');
  });

  it('leaves plain tensors plain', () => {
    const plain = gptq.tensors.get('model.norm.weight')!;
    expect(inEveryForm([plain], ([view]) => ({ ...view!, name: 'norm' })).packed).toBeUndefined();
  });
});
