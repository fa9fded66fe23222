// Every command looks at the place of its output before it works. That it comes first is proved by naming a model that does
// not exist: whoever is told of the output has not looked for the model yet.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { resultOf, root, runCommand, runCommands, startCommand } from './cli-fixture.ts';

const tiny = join(root, 'test/models/tiny-llama');
const text = join(root, 'test/models/text/prose-test.txt');
let folder: string;
const at = (name: string) => join(folder, name);
let f16: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'quern-outputs-'));
  f16 = at('tiny-F16.gguf');
  await runCommand('convert', tiny, '--type', 'f16', '-o', f16);
  writeFileSync(at('there'), 'precious');
  mkdirSync(at('full'));
  writeFileSync(at('full/letter.txt'), 'precious');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const none = './no-such-model.gguf';
/** Command lines that end where the place of the output goes. */
const files: Readonly<Record<string, readonly string[]>> = {
  convert: ['convert', none, '-o'],
  'convert --type': ['convert', none, '--type', 'Q4_K_M', '--imatrix', 'auto', '-o'],
  'convert --awq-scales': ['convert', none, '--type', 'Q4_K_M', '--awq-scales', '-o'],
  quantize: ['quantize', none, '--type', 'Q4_K_M', '--imatrix', 'auto', '-o'],
  'quantize --awq-scales': ['quantize', none, '--type', 'Q4_K_M', '--awq-scales', '-o'],
  'quantize --target-bpw': ['quantize', none, '--target-bpw', '4.5', '-o'],
  'quantize --save-tensor-types': ['quantize', none, '--target-bpw', '4.5', '--save-tensor-types'],
  calibrate: ['calibrate', none, '--text', text, '-o'],
  'calibrate --merge': ['calibrate', '--merge', none, '-o'],
  logits: ['logits', none, '--ids', '1', '-o'],
  'eval --report': ['eval', none, '--text', text, '--report'],
  'eval --save-base': ['eval', none, '--text', text, '--base', none, '--save-base'],
  'eval --merge --report': ['eval', '--merge', none, '--report'],
};
const folders: Readonly<Record<string, readonly string[]>> = {
  'convert --to hf': ['convert', none, '--to', 'hf', '-o'],
  'quantize --type awq': ['quantize', none, '--type', 'awq', '-o'],
};
const states: Readonly<Record<string, readonly string[]>> = {
  'eval --state': ['eval', none, '--text', text, '--state'],
  'quantize --sensitivity': ['quantize', none, '--target-bpw', '4.5', '--sensitivity'],
};

/** Every command line with this place behind it, and what came of it. */
async function refusals(lines: Readonly<Record<string, readonly string[]>>, ...place: string[]) {
  const results = await runCommands(Object.values(lines).map((args) => [...args, ...place]));
  return Object.keys(lines).map((name, i) => ({ name, ...results[i]! }));
}

test.each([
  ['a folder that is not there', () => at('none/x'), 1, /folder of the output does not exist.*none\/x/],
  ['a dash', () => '-', 2, /cannot be a pipe/],
])('%s is refused by every command', async (_, place, code, message) => {
  for (const refusal of await refusals({ ...files, ...folders, ...states }, place()))
    expect(refusal).toMatchObject({ name: refusal.name, code, stderr: expect.stringMatching(message) });
});

test('a file that is there is refused by every command, and left', async () => {
  for (const refusal of await refusals(files, at('there')))
    expect(refusal).toMatchObject({
      ...{ name: refusal.name, code: 3 },
      stderr: expect.stringMatching(/The output file exists\. .*there.*--force/),
    });
  expect(readFileSync(at('there'), 'utf8')).toBe('precious');
});

test.each([[[]], [['--force']]])('a folder that is not empty is refused, and left (%j)', async (force) => {
  for (const refusal of await refusals(folders, at('full'), ...force))
    expect(refusal).toMatchObject({
      ...{ name: refusal.name, code: 3 },
      stderr: expect.stringMatching(/The output folder (exists and is not empty|also holds letter\.txt)/),
    });
  expect(readdirSync(at('full'))).toEqual(['letter.txt']);
});

test('merge refuses the same', async () => {
  const results = await runCommands([
    ['merge', at('none/x'), none],
    ['merge', '-', none],
    ['merge', at('there'), none],
    ['merge', f16, f16, '--force'],
  ]);
  const messages = [/folder of the output does not exist/, /cannot be a pipe/, /exists.*--force/, /is an input file/];
  expect(results).toEqual(
    [1, 2, 3, 3].map((code, i) => ({ code, stdout: '', stderr: expect.stringMatching(messages[i]!) })),
  );
});

test('an input is not the output, by force neither, and nothing is computed', async () => {
  const copy = at('input.gguf');
  writeFileSync(copy, readFileSync(f16));
  const lines = {
    quantize: ['quantize', copy, '--type', 'Q4_K_M', '-o', copy],
    'quantize --imatrix auto': ['quantize', copy, '--type', 'Q4_K_M', '--imatrix', 'auto', '-o', copy],
    'quantize --awq-scales': ['quantize', copy, '--type', 'Q4_K_M', '--awq-scales', '-o', copy],
    'quantize --target-bpw': ['quantize', copy, '--target-bpw', '6', '-o', copy],
    calibrate: ['calibrate', copy, '--chunks', '1', '-o', copy],
    'calibrate --text': ['calibrate', f16, '--text', copy, '-o', copy],
    logits: ['logits', copy, '--ids', '1', '-o', copy],
    'eval --report': ['eval', copy, '--text', text, '--report', copy],
    'eval --text --report': ['eval', f16, '--text', copy, '--report', copy],
  };
  for (const refusal of await refusals(lines, '--force')) {
    expect(refusal).toMatchObject({ name: refusal.name, code: 3, stderr: expect.stringMatching(/is an input file/) });
    // Progress of anything would be there.
    expect(refusal.stderr).not.toMatch(/%|cpu: /);
  }
  expect(readFileSync(copy).equals(readFileSync(f16))).toBe(true);
});

test('one file cannot serve two flags, and a flag of one value is not given twice', async () => {
  const results = await runCommands([
    ['eval', f16, '--text', text, '--report', at('x'), '--state', at('x')],
    ['eval', f16, '--text', text, '--text', text],
    ['convert', tiny, '-o', at('a.gguf'), '--outfile', at('b.gguf')],
  ]);
  const messages = [/--report and --state name the same file/, /given twice/, /given twice/];
  expect(results).toEqual(
    messages.map((message) => expect.objectContaining({ code: 2, stderr: expect.stringMatching(message) })),
  );
});

describe('in a folder the output has its usual name', () => {
  test.each<[string, string[], string]>([
    ['convert', ['convert', tiny, '--type', 'f16', '-o'], 'tiny-llama-F16.gguf'],
    ['convert auto', ['convert', tiny, '-o'], 'tiny-llama-BF16.gguf'],
    ['logits', ['logits', tiny, '--ids', '1,2', '-o'], 'logits.safetensors'],
    ['calibrate', ['calibrate', tiny, '--text', text, '--ctx', '64', '--chunks', '1', '-o'], 'imatrix.gguf'],
    ['eval', ['eval', tiny, '--text', text, '--ctx', '64', '--chunks', '1', '--report'], 'report.html'],
  ])('%s', async (command, args, name) => {
    const out = at(`out-${command.replace(' ', '-')}`);
    mkdirSync(out);
    expect((await runCommand(...args, `${out}/`)).code).toBe(0);
    expect(readdirSync(out)).toEqual([name]);
    // And is not replaced.
    expect((await runCommand(...args, out)).code).toBe(3);
  });
});

test('results are printed before the report is written', async () => {
  const report = at('late.html');
  // The place is free when it is looked at, and taken by a folder when the report is to be written.
  const child = startCommand('eval', f16, '--text', text, '--ctx', '64', '--chunks', '2', '--report', report);
  // It says which device computes before it computes.
  child.stderr!.once('data', () => mkdirSync(report));
  const { code, stdout, stderr } = await resultOf(child);
  expect(stdout).toMatch(/PPL/);
  expect(stderr).toMatch(/folder/);
  expect(code).not.toBe(0);
  expect(existsSync(`${report}.partial`)).toBe(false);
});
