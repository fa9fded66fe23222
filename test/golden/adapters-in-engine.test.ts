// Requests with different adapters in one engine: each gets what it would get alone, and nothing that was computed with another
// adapter is used again. On the reference device, where a batch gives the same bits as each of its sequences alone.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AdapterScale, EngineCore, type GenerateOptions } from '@quern/engine';
import { loadModel, openAdapter, openModel } from '@quern/models';
import { referenceDevice } from '@quern/runtime';
import { afterAll, describe, expect, it } from 'vitest';
import { knownTensor, writeAdapterFolder } from '../adapter-folder.ts';
import { testPath } from './forward/recorded.ts';

const device = referenceDevice();
const folder = mkdtempSync(join(tmpdir(), 'quern-adapters-'));
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await device.dispose();
});

/** llama3 of test/models: 64 wide, heads of q and k in 64 and 32 rows. */
const adapterOf = (name: string, seed: number): string =>
  writeAdapterFolder(
    join(folder, name),
    { peft_type: 'LORA', r: 2, lora_alpha: 4 },
    [0, 1].flatMap((layer) =>
      [
        ['self_attn.q_proj', [64, 64]] as const,
        ['self_attn.k_proj', [32, 64]] as const,
        ['mlp.up_proj', [128, 64]] as const,
      ].flatMap(([module, [rows, cols]], i) => [
        knownTensor(`base_model.model.model.layers.${layer}.${module}.lora_A.weight`, [2, cols], seed + 10 * i + layer),
        knownTensor(
          `base_model.model.model.layers.${layer}.${module}.lora_B.weight`,
          [rows, 2],
          seed + 10 * i + 5 + layer,
        ),
      ]),
    ),
  );

async function makeCore(count: number): Promise<EngineCore> {
  const view = await openModel(testPath('models/arch/llama3'));
  const adapters = await Promise.all(
    Array.from({ length: count }, async (_, i) => ({
      adapter: await openAdapter(adapterOf(`a${i}`, 100 * i), view),
      scale: 0,
    })),
  );
  const model = await loadModel(view, device, {
    ...{ batchTokens: 16, cells: 256, blockTokens: 8, maxSequences: 6, maxOutputs: 6, adapters },
  });
  for (const { adapter } of adapters) await adapter.close();
  await view.close();
  return new EngineCore(model, { contextTokens: 64, cacheRamBytes: 2 ** 24 });
}

interface Reply {
  tokens: number[];
  logprobs: number[];
  cached?: number;
  error?: string;
}

function ask(core: EngineCore, prompt: readonly number[], adapters: readonly AdapterScale[]): Reply {
  const reply: Reply = { tokens: [], logprobs: [] };
  const options: GenerateOptions = { maxTokens: 8, logprobs: 0, sampling: { temperature: 0 }, adapters };
  core.submit(Int32Array.from(prompt), options, (outcome) => {
    if ('error' in outcome) reply.error = outcome.error.code;
    else if ('finishReason' in outcome.event) reply.cached = outcome.event.cachedTokens;
    else {
      reply.tokens.push(outcome.event.token);
      reply.logprobs.push(outcome.event.logprob!);
    }
  });
  return reply;
}

async function drain(core: EngineCore): Promise<void> {
  for (let step = 0; !core.idle; step++) {
    expect(step).toBeLessThan(500);
    await core.step();
  }
}

const prompt = Array.from({ length: 20 }, (_, i) => (i * 37 + 5) % 512);
const wishes: readonly (readonly AdapterScale[])[] = [
  [],
  [{ id: 0, scale: 1 }],
  [{ id: 1, scale: 1 }],
  [{ id: 0, scale: 0.5 }],
  [
    { id: 0, scale: 1 },
    { id: 1, scale: -0.25 },
  ],
];

describe('adapters in an engine', () => {
  it('gives each of several requests at once what it gets alone', async () => {
    const alone: Reply[] = [];
    for (const wish of wishes) {
      const core = await makeCore(2);
      alone.push(ask(core, prompt, wish));
      await drain(core);
    }
    expect(new Set(alone.map(({ logprobs }) => logprobs.join())).size).toBe(wishes.length);
    const core = await makeCore(2);
    const together = wishes.map((wish) => ask(core, prompt, wish));
    await drain(core);
    expect(together).toEqual(alone);
  });

  it('shares what is kept among requests with the same adapters, and with no others', async () => {
    const core = await makeCore(2);
    for (const wish of wishes) {
      const first = ask(core, prompt, wish);
      await drain(core);
      expect(first.cached).toBe(0);
      const again = ask(core, prompt, wish);
      await drain(core);
      expect(again.cached).toBe(prompt.length - 1);
      expect(again.logprobs).toEqual(first.logprobs);
    }
  });

  it.each([
    ['an adapter that is not there', { id: 2, scale: 1 }],
    ['no number of one', { id: 0.5, scale: 1 }],
    ['a scale that is none', { id: 0, scale: Number.NaN }],
    ['a scale beyond all', { id: 0, scale: 1e30 }],
  ])('refuses %s', async (_, wish) => {
    const core = await makeCore(2);
    expect(() => ask(core, prompt, [wish])).toThrow(expect.objectContaining({ code: 'request-invalid' }));
  });
});
