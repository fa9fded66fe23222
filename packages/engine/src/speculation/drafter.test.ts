// Drafts change how many steps a reply takes, never its tokens.
import { fileURLToPath } from 'node:url';
import { loadModel, openModel } from '@quern/models';
import { referenceDevice } from '@quern/runtime';
import { afterAll, describe, expect, it } from 'vitest';
import { EngineCore } from '../core.ts';
import type { GenerateOptions } from '../request.ts';
import type { Drafter } from './drafter.ts';

const llama3 = fileURLToPath(new URL('../../../../test/models/arch/llama3', import.meta.url));
const device = referenceDevice();
afterAll(() => device.dispose());

const prompts = [[5, 9, 100, 7], Array.from({ length: 30 }, (_, i) => (i * 37) % 512), [300]];
const styles: GenerateOptions[] = [
  { maxTokens: 24, sampling: { temperature: 0 } },
  { maxTokens: 24, sampling: { temperature: 0.9, topP: 0.95, seed: 7, repetitionPenalty: 1.1 } },
  { maxTokens: 5, sampling: { temperature: 0.9, seed: 3 } },
];

async function replies(drafter?: Drafter, stopTokens: number[] = []) {
  const view = await openModel(llama3);
  const sizes = { batchTokens: 16, cells: 128, blockTokens: 8, maxSequences: 3, maxOutputs: 9 };
  const model = await loadModel(view, device, sizes);
  await view.close();
  const core = new EngineCore(model, { contextTokens: 96, ...(drafter ? { drafter } : {}) });
  const tokens = prompts.map((prompt, i) => {
    const mine: number[] = [];
    core.submit(Int32Array.from(prompt), { ...styles[i], stopTokens }, (outcome) => {
      if ('event' in outcome && 'token' in outcome.event) mine.push(outcome.event.token);
    });
    return mine;
  });
  while (!core.idle) await core.step();
  expect(core.freeBlocks).toBe(model.blocks);
  model.dispose();
  return { tokens };
}

/** Knows the replies; every `wrongEvery`-th guess is another token. */
function prophet(known: number[][], maxDrafts: number, wrongEvery: number) {
  const told = { drafted: 0, accepted: 0 };
  let guesses = 0;
  const drafter: Drafter = {
    async propose(sequences) {
      for (const sequence of sequences) {
        expect(sequence.drafts).toEqual([]);
        const reply = known[prompts.findIndex(({ length }) => length === sequence.promptTokens)]!;
        sequence.drafts = reply
          .slice(sequence.generated, sequence.generated + maxDrafts)
          .map((token) => (++guesses % wrongEvery === 0 ? (token + 1) % 512 : token));
      }
    },
    judge(_, drafted, accepted) {
      told.drafted += drafted;
      told.accepted += accepted;
    },
  };
  return { drafter, told };
}

describe('drafts', () => {
  it.each([
    ['right', Number.POSITIVE_INFINITY],
    ['wrong now and then', 3],
    ['always wrong', 1],
  ])('that are %s leave every reply as it is', async (_, wrongEvery) => {
    const plain = await replies();
    const { drafter, told } = prophet(plain.tokens, 3, wrongEvery);
    const drafted = await replies(drafter);
    expect(drafted.tokens).toEqual(plain.tokens);
    if (wrongEvery === 1) expect(told.accepted).toBe(0);
    else expect(told.accepted).toBeGreaterThan(5);
    if (wrongEvery === Number.POSITIVE_INFINITY) expect(told.accepted).toBe(told.drafted);
  });

  it('end with a stop token among them', async () => {
    const plain = await replies();
    const stop = plain.tokens[0]![9]!;
    const stopped = await replies(undefined, [stop]);
    expect(stopped.tokens).not.toEqual(plain.tokens);
    expect((await replies(prophet(plain.tokens, 5, 100).drafter, [stop])).tokens).toEqual(stopped.tokens);
  });
});
