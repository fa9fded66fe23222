// An adapter is added where the forward pass multiplies: the weights that may have one are those that an observer of its matmuls sees,
// and those that are looked up. Otherwise something would be taken and not be applied.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { referenceDevice } from '@quern/runtime';
import { expect, it } from 'vitest';
import { loadModel } from '../../load-model.ts';
import { networkOf } from '../../network-of.ts';
import { openModel } from '../../open-model.ts';
import { adaptableWeights } from './adaptable.ts';

const folder = new URL('../../../../../test/models/arch', import.meta.url).pathname;
const models = readdirSync(folder).filter((name) => existsSync(join(folder, name, 'model.safetensors')));

it.each(models)('%s', async (name) => {
  const view = await openModel(join(folder, name));
  const device = referenceDevice();
  const network = networkOf(view);
  const model = await loadModel(view, device, { batchTokens: 4 });
  const seen = new Set<string>();
  const observer = {
    // Behind the pooling no token is left whose sequence could ask.
    onMatmulInput: (weight: string) => void (weight.startsWith('cls.') || seen.add(weight)),
    // Of latent attention the stacks of heads are no experts.
    onExpertInput: (weight: string) => void (/attn_[kv]_b/.test(weight) || seen.add(weight)),
  };
  const tokens = Int32Array.of(5, 6, 7);
  const batch = { tokens, positions: Int32Array.of(0, 1, 2), seqs: new Int32Array(3), blockTable: Int32Array.of(0) };
  if (network.output.headless) await model.embed(batch, observer);
  else await model.forward({ ...batch, outputRows: Int32Array.of(2) }, observer);
  const products = [...adaptableWeights(network).keys()].filter((weight) => weight !== 'token_embd.weight');
  if (network.output.tied || network.output.headless) seen.add('output.weight');
  seen.delete('token_embd.weight');
  expect([...seen].sort()).toEqual(
    products.includes('output.weight') ? products.sort() : [...products, 'output.weight'].sort(),
  );
  model.dispose();
  await view.close();
  await device.dispose();
});
