// The context that a created model asks for, against what a server has.
import type { CreatedModel } from '@quern/checkpoint';
import { describeModel, openModel } from '@quern/models';
import { expect, it } from 'vitest';
import { requireContext } from './model-memory.ts';

const gguf = new URL('../../../../test/models/arch/qwen2/llama.cpp-bf16.gguf', import.meta.url).pathname;
const asking = (tokens?: number): CreatedModel => ({
  ...{ name: 'a', weights: { reference: gguf }, adapters: [], messages: [], license: [], createdMs: 0 },
  parameters: tokens === undefined ? {} : { num_ctx: tokens },
});

it('is refused where the cache, or the memory, has less, with both numbers; no more is taken than was trained', async () => {
  const view = await openModel(gguf);
  const { hyperparameters, kvBytesPerToken } = describeModel(view);
  const trained = hyperparameters.contextLength;
  const check = (tokens: number | undefined, cacheTokens?: number, maxBytes = 1e12) =>
    requireContext(asking(tokens), view, { cacheTokens }, maxBytes);
  const refused = { status: 400, param: 'parameters.num_ctx' };
  expect(() => check(101, 100)).toThrow(
    expect.objectContaining({ ...refused, message: expect.stringMatching(/101.*100/) }),
  );
  check(100, 100);
  check(undefined, 1);
  check(100 * trained, trained);
  expect(() => check(100 * trained, trained - 1)).toThrow(expect.objectContaining(refused));
  const bytes = 64 * kvBytesPerToken.f16;
  check(64, undefined, bytes);
  expect(() => check(65, undefined, bytes)).toThrow(expect.objectContaining(refused));
  await view.close();
});
