// What the commands say of their devices, and what they refuse.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { root, runCommand } from './cli-fixture.ts';

const model = join(root, 'test/models/tiny-llama');
const folder = mkdtempSync(join(tmpdir(), 'quern-devices-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function logits(...devices: string[]) {
  const file = join(folder, `logits-${devices.join('')}.safetensors`);
  const { code, stdout, stderr } = await runCommand(
    ...['logits', model, '--ids', '1,2,3,400', '-t', '1', '-o', file, '--json', ...devices],
  );
  return { code, stdout, stderr, ...(code === 0 && { report: JSON.parse(stdout), bytes: readFileSync(file) }) };
}

describe('quern logits', () => {
  it('shares a model that is too large for one CPU device, with the same bits', async () => {
    const whole = await logits();
    expect(whole.report.devices).toMatchObject({
      split: 'layer',
      devices: [{ device: 'cpu', firstBlock: 0, endBlock: 4 }],
    });
    const shared = await logits('--device-memory', '5');
    expect(shared.report.devices.devices.length).toBeGreaterThan(1);
    expect(shared.report.devices.summary).toMatch(/^cpu: embedding, .*; cpu: .*output/);
    expect(shared.stderr).toContain(shared.report.devices.summary);
    expect(shared.bytes!.equals(whole.bytes!)).toBe(true);
    const { weightBytes } = whole.report.devices.devices[0];
    expect(weightBytes).toBeLessThan(8.5 * 2 ** 20); // bf16, tied
  });

  it('auto says what it chose and why', async () => {
    const { report } = await logits('--device', 'auto');
    expect(report.devices.summary).toMatch(/no GPU is used: |webgpu is /);
  });

  it.each([
    [['--device', 'abacus'], /no device 'abacus'.*webgpu/s, 2],
    [['--device', 'webgpu:Voodoo2'], /(No WebGPU adapter called Voodoo2|npm package webgpu).*cpu device/s, 1],
    [
      ['--device', 'reference', '--device-memory', '5'],
      /needs \d+ bytes on the reference device .*may hold 5242880/,
      1,
    ],
    // A layer that no device holds: refused at once, however many small devices the machine has memory for.
    [['--device-memory', '1'], /needs \d+ bytes .*whole layers of it on each device; .*cpu 1048576/, 1],
  ])('refuses %o', async (options, message, code) => {
    const result = await logits(...options);
    expect(result.stdout).toMatch(message);
    expect(result.code).toBe(code);
  });
});

it('quern eval says where each model was', async () => {
  const text = join(root, 'test/models/text/prose-test.txt');
  const devices = ['--device', 'cpu,cpu', '--split-mode', 'row', '-t', '1'];
  const { stdout, code } = await runCommand(
    'eval',
    model,
    '-f',
    text,
    '-c',
    '64',
    '--chunks',
    '1',
    '--json',
    ...devices,
  );
  expect(code).toBe(0);
  expect(JSON.parse(stdout).models[0].devices).toMatchObject({
    summary: expect.stringMatching(/^split by rows, cpu: embedding, blocks 0-3, output/),
    split: 'row',
    devices: [{ output: true }, { output: false, firstBlock: 0, endBlock: 4 }],
  });
});
