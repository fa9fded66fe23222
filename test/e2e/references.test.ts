// Names that people have for models, given to the commands: GGUF repositories on the hub, quants, files, addresses. The
// hub is a real server on the loopback; what comes out is compared with what the same files give from the disk.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type LoopbackHub, startLoopbackHub } from '../loopback-hub.ts';
import { root, runCommand, startCommand } from './cli-fixture.ts';

const llama = join(root, 'test/models/arch/llama3');
let dir: string;
let hub: LoopbackHub;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'quern-references-'));
  const [bf16, q8] = await Promise.all(['bf16', 'q8_0'].map((type) => readFile(join(llama, `llama.cpp-${type}.gguf`))));
  const files = { 'tiny-BF16.gguf': bf16!, 'sub/tiny-Q8_0.gguf': q8!, 'mmproj-tiny.gguf': 'a projector' };
  hub = await startLoopbackHub({ repositories: { 'o/tiny-GGUF': files }, files });
  Object.assign(process.env, { HF_ENDPOINT: hub.endpoint, HF_HOME: join(dir, 'home'), HF_HUB_OFFLINE: '0' });
});
afterAll(async () => {
  await hub.close();
  await rm(dir, { recursive: true });
});
beforeEach(() => {
  hub.asked.length = 0;
});
const fetched = () => hub.asked.filter((line) => /\/resolve\/|\/files\//.test(line));

describe('a GGUF repository', () => {
  it.each(['o/tiny-GGUF:q8_0', 'o/tiny-GGUF/sub/tiny-Q8_0.gguf', 'hf.co/o/tiny-GGUF:Q8_0', 'files'])(
    '%s computes what the file does',
    async (ref) => {
      const [there, here] = [join(dir, 'there.safetensors'), join(dir, 'here.safetensors')];
      const model = ref === 'files' ? `${hub.endpoint}/files/sub/tiny-Q8_0.gguf` : ref;
      for (const [name, output] of [[model, there] as const, [join(llama, 'llama.cpp-q8_0.gguf'), here] as const]) {
        const { code, stderr } = await runCommand('logits', name, '--ids', '1,2,3', '-o', output);
        expect(stderr).not.toMatch(/error/);
        expect(code).toBe(0);
      }
      expect((await readFile(there)).equals(await readFile(here))).toBe(true);
      await Promise.all([there, here].map((file) => rm(file)));
    },
  );

  it('with several models and none that is meant lists them, before anything is fetched', async () => {
    const { code, stderr } = await runCommand('eval', 'o/tiny-GGUF', '--text', 'README.md');
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /2 GGUF models in o\/tiny-GGUF.*\n +o\/tiny-GGUF:Q8_0 +\d+ KiB\n +o\/tiny-GGUF:BF16 +\d+ KiB/,
    );
    expect(fetched()).toEqual([]);
  });

  it('is quantized as the file is', async () => {
    const [there, here] = [join(dir, 'there.gguf'), join(dir, 'here.gguf')];
    const results = await Promise.all([
      runCommand('quantize', 'o/tiny-GGUF:BF16', '--type', 'Q4_0', '-o', there),
      runCommand('quantize', join(llama, 'llama.cpp-bf16.gguf'), '--type', 'Q4_0', '-o', here),
    ]);
    expect(results.map(({ code }) => code)).toEqual([0, 0]);
    expect(results[0]!.stderr).toContain('of 2 GGUF models in o/tiny-GGUF: tiny-BF16.gguf (BF16, ');
    expect((await readFile(there)).equals(await readFile(here))).toBe(true);
  });

  it('becomes a checkpoint, and is refused as one before it is fetched', async () => {
    const refused = await runCommand('convert', 'o/tiny-GGUF:Q8_0');
    expect(refused.stderr).toMatch(/a GGUF file already.*quern quantize/);
    expect(fetched()).toEqual([]);
    const out = join(dir, 'checkpoint');
    const { code } = await runCommand('convert', 'o/tiny-GGUF:BF16', '--to', 'hf', '-o', out);
    expect(code).toBe(0);
    expect(await readdir(out)).toContain('model.safetensors');
  });

  it('is served', async () => {
    const child = startCommand('serve', 'o/tiny-GGUF:Q8_0', '--port', '0');
    let text = '';
    const ready = new Promise<void>((resolve, reject) => {
      child.stderr!.on('data', (chunk) => {
        text += chunk;
        if (text.includes('serving "')) resolve();
      });
      child.on('exit', () => reject(new Error(text)));
    });
    try {
      await ready;
      expect(text).toContain('sub/tiny-Q8_0.gguf (Q8_0, ');
      expect(text).toMatch(/serving "tiny-Q8_0"/);
    } finally {
      child.removeAllListeners('exit');
      child.kill();
      await new Promise((resolve) => child.on('close', resolve));
    }
  });
});

it('a mistyped path is said to be nothing here, and nothing on the hub', async () => {
  const { code, stderr } = await runCommand('inspect', 'models/tiny/lama.gguf');
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /no such file or folder\. \(file models\/tiny\/lama\.gguf\) As a hub id: No model models\/tiny/,
  );
});
