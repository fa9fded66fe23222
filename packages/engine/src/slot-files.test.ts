// Texts of slots in files: an engine that starts later goes on from them to the same tokens; what is not its own it refuses.
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Engine } from './engine.ts';
import type { StartOptions } from './engine-options.ts';
import type { FinishEvent } from './request.ts';

const model = (name: string) => fileURLToPath(new URL(`../../../test/models/arch/${name}`, import.meta.url));
let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'quern-slots-'))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const prompt = Int32Array.from({ length: 75 }, (_, i) => (i * 37 + 3) % 500);

async function start(name: string, options: Partial<StartOptions> = {}): Promise<Engine> {
  const path = options.modelPath ?? model(name);
  return Engine.start({ threads: 1, contextTokens: 128, slotSavePath: folder, ...options, modelPath: path });
}

async function ask(engine: Engine, ids = prompt): Promise<{ tokens: number[]; finish: FinishEvent }> {
  const tokens: number[] = [];
  for await (const event of engine.generate(ids, { maxTokens: 8, sampling: { temperature: 0 }, messageEnds: [50] })) {
    if ('finishReason' in event) return { tokens, finish: event };
    tokens.push(event.token);
  }
  throw new Error('no finish event');
}

describe.each(['llama3', 'qwen35'])('%s', (name) => {
  it('goes on from a text that an earlier engine has saved', async () => {
    const file = `${name}.slot`;
    const first = await start(name);
    const reply = await ask(first);
    const saved = await first.slot({ action: 'save', slot: 0, file });
    expect(saved.tokens).toBe(75 + 8 - 1);
    expect(saved.bytes).toBe(readFileSync(join(folder, file)).length);
    expect((await first.stats()).slots[0]).toMatchObject({ id: 0, processing: false, tokens: 82 });
    mkdirSync(join(folder, 'a-folder'), { recursive: true });
    const taken = first.slot({ action: 'save', slot: 0, file: 'a-folder' });
    await expect(taken).rejects.toMatchObject({ code: 'write-failed' });
    await first.close();

    const second = await start(name);
    expect(await second.slot({ action: 'restore', slot: 2, file })).toMatchObject({ tokens: 82, bytes: saved.bytes });
    const again = await ask(second);
    expect(again.tokens).toEqual(reply.tokens);
    // Recurrent states go on from a snapshot: the message's end.
    expect(again.finish.cachedTokens).toBe(name === 'llama3' ? 74 : 50);
    const longer = await ask(second, Int32Array.from([...prompt, ...reply.tokens, 5, 6]));
    expect(longer.finish.cachedTokens).toBe(82);
    expect((await second.slot({ action: 'erase', slot: 2 })).tokens).toBeGreaterThanOrEqual(0);
    await second.close();
    expect(readdirSync(folder).filter((entry) => entry.includes('partial'))).toEqual([]);
  });
});

describe('a saved text is refused', () => {
  const file = 'llama3.slot';
  it.each([
    ['by another model', 'llama-spm', {}, 'slot-file-foreign'],
    ['with other cache types', 'llama3', { cacheTypes: { k: 'F16', v: 'F16' } }, 'slot-file-foreign'],
    ['where too little is kept', 'llama3', { cacheRamBytes: 5000 }, 'slot-text-too-large'],
    ['where nothing is saved', 'llama3', { slotSavePath: undefined }, 'slot-saving-off'],
  ] as const)('%s', async (_, name, options, code) => {
    const engine = await start(name, options);
    await expect(engine.slot({ action: 'restore', slot: 0, file })).rejects.toMatchObject({ code });
    expect((await ask(engine)).tokens).toHaveLength(8);
    await engine.close();
  });

  it('by a model whose weights alone differ', async () => {
    const other = join(folder, 'other');
    cpSync(model('llama3'), other, { recursive: true });
    const weights = join(other, 'model.safetensors');
    const bytes = readFileSync(weights);
    const header = Number(bytes.readBigUInt64LE(0));
    bytes.fill(bytes[8 + header + 1]! ^ 1, 8 + header + 1, 8 + header + 2);
    writeFileSync(weights, bytes);
    const engine = await start('llama3', { modelPath: other });
    await expect(engine.slot({ action: 'restore', slot: 0, file })).rejects.toMatchObject({
      code: 'slot-file-foreign',
    });
    await engine.close();
  });

  it('when it is damaged, missing, or not a name', async () => {
    const whole = readFileSync(join(folder, file));
    const broken = Uint8Array.from(whole);
    broken[whole.length >> 1]! ^= 1;
    writeFileSync(join(folder, 'broken'), broken);
    writeFileSync(join(folder, 'cut'), whole.subarray(0, whole.length - 100));
    writeFileSync(join(folder, 'empty'), '');
    const engine = await start('llama3');
    const restore = (name: string) => engine.slot({ action: 'restore', slot: 0, file: name });
    for (const name of ['broken', 'cut', 'empty'])
      await expect(restore(name)).rejects.toMatchObject({ code: 'slot-file-damaged', file: name });
    await expect(restore('nothing')).rejects.toMatchObject({ code: 'slot-file-missing' });
    for (const name of ['../llama3.slot', '.hidden', 'a/b', '', 'a\\b'])
      await expect(restore(name)).rejects.toMatchObject({ code: 'slot-file-name' });
    await expect(engine.slot({ action: 'save', slot: 1, file: 'x' })).rejects.toMatchObject({ code: 'slot-empty' });
    await expect(engine.slot({ action: 'save', slot: 9, file: 'x' })).rejects.toMatchObject({ code: 'slot-unknown' });
    await engine.close();
  });
});
