// The loop of the engine's thread when its device goes away. The device is the reference, cut off at a chosen read: how a
// GPU is lost in truth is tested on one (test/e2e/device-loss.test.ts).
import { fileURLToPath } from 'node:url';
import { QuernError } from '@quern/errors';
import { openModel } from '@quern/models';
import { type Device, referenceDevice } from '@quern/runtime';
import { describe, expect, it } from 'vitest';
import { EngineLoop } from './engine-loop.ts';
import { loadCore } from './load-core.ts';
import type { FromWorker } from './protocol.ts';
import type { FinishEvent } from './request.ts';

const llama3 = fileURLToPath(new URL('../../../test/models/arch/llama3', import.meta.url));
const sizes = { contextTokens: 64, maxSequences: 1 };

/** A device that is lost at the n-th batch that is read from it. */
function lostAtBatch(n: number): { device: Device; arm(): void } {
  const whole = referenceDevice();
  let [left, armed] = [n, false];
  const read: Device['read'] = async (...range) => {
    if (armed && left-- <= 1) throw new QuernError('device-lost', 'The plug was pulled.');
    return whole.read(...range);
  };
  return { device: { ...whole, read }, arm: () => void (armed = true) };
}

interface Story {
  tokens: Map<number, number[]>;
  ended: Map<number, string>;
  reloads: string[];
  error?: QuernError;
}

/** Two requests, one place: the second waits. `batches`: how long each device lives; Infinity: for ever. */
async function run(batches: readonly number[]): Promise<Story> {
  const story: Story = { tokens: new Map(), ended: new Map(), reloads: [] };
  const lives = [...batches];
  const open = async () => {
    const life = lives.shift();
    if (life === undefined) throw new QuernError('webgpu-no-adapter', 'No adapter.');
    const { device, arm } = lostAtBatch(life);
    const view = await openModel(llama3);
    const loaded = await loadCore(view, device, sizes);
    await view.close();
    arm();
    return { ...loaded, dispose: async () => loaded.dispose() };
  };
  let finished = 0;
  const loop: EngineLoop = new EngineLoop(open, (message: FromWorker) => {
    if (message.type === 'reloaded') story.reloads.push(message.error.code);
    for (const outcome of message.type === 'outcomes' ? message.outcomes : []) {
      const { id } = outcome;
      if ('event' in outcome && 'token' in outcome.event) {
        story.tokens.set(id, [...(story.tokens.get(id) ?? []), outcome.event.token]);
        continue;
      }
      story.ended.set(id, 'error' in outcome ? outcome.error.code : (outcome.event as FinishEvent).finishReason);
      if (++finished === 2) loop.receive({ type: 'close' });
    }
  });
  for (const id of [1, 2])
    loop.receive({
      type: 'generate',
      ids: [id],
      prompt: Int32Array.of(5 + id, 9, 60),
      options: { maxTokens: 4, sampling: { temperature: 0 } },
    });
  await loop.run().catch((error) => (story.error = error));
  return story;
}

describe('a device that is lost', () => {
  it('ends the running request with its error; the waiting one gets the reply that it would have got', async () => {
    const undisturbed = await run([Number.POSITIVE_INFINITY]);
    expect([...undisturbed.ended.values()]).toEqual(['length', 'length']);
    const story = await run([3, Number.POSITIVE_INFINITY]);
    expect(story.error).toBeUndefined();
    expect(story.reloads).toEqual(['device-lost']);
    expect([...story.ended]).toEqual([
      [1, 'device-lost'],
      [2, 'length'],
    ]);
    expect(story.tokens.get(1)).toEqual(undisturbed.tokens.get(1)!.slice(0, 2));
    expect(story.tokens.get(2)).toEqual(undisturbed.tokens.get(2));
  });

  it('is replaced again after it has worked', async () => {
    const story = await run([2, 3, Number.POSITIVE_INFINITY]);
    expect(story.reloads).toEqual(['device-lost', 'device-lost']);
    expect([...story.ended.values()]).toEqual(['device-lost', 'device-lost']);
    expect(story.error).toBeUndefined();
  });

  it('twice in a row ends the engine, and says so', async () => {
    const story = await run([2, 1, Number.POSITIVE_INFINITY]);
    expect(story.error).toMatchObject({
      code: 'engine-device-lost',
      message: expect.stringMatching(/lost again at once.*plug was pulled/),
    });
    expect(story.reloads).toEqual(['device-lost']);
  });

  it('and cannot be replaced ends the engine with both reasons', async () => {
    const story = await run([2]);
    expect(story.error).toMatchObject({
      code: 'engine-device-lost',
      message: expect.stringMatching(/could not be replaced \(No adapter\.\): The plug was pulled/),
    });
  });
});
