// What people type for llama.cpp's tools, as what quern's parser makes of it. The flags are those of llama.cpp's own help.
import { expect, test } from 'vitest';
import { commands } from './commands.ts';
import { llamaFlags } from './llama-flags.ts';
import { parserOf } from './parser.ts';
import { rewriteArguments } from './rewrite-arguments.ts';
import { settledFlags } from './settled-flags.ts';

const definitionOf = (name: string) => commands.find((row) => row.name === name)!.load();

async function rewritten(line: string) {
  const [name, ...args] = line.split(' ');
  const definition = await definitionOf(name!);
  return rewriteArguments(args, parserOf(definition), definition.arguments[0]!.isModel ?? false);
}

test.each([
  ['serve -m a.gguf -ngl 99 -c 4096 -np 2', 'a.gguf --gpu-layers 99 -c 4096 --parallel 2'],
  ['serve -m a.gguf -ctk q8_0 -ctv q8_0 -ub 64', 'a.gguf --cache-type-k q8_0 --cache-type-v q8_0 --batch-size 64'],
  ['serve a.gguf -ngl all -np -1 -t -1', 'a.gguf --gpu-layers 1048576'],
  ['serve a.gguf --n-gpu-layers=auto --parallel=2', 'a.gguf --parallel=2'],
  ['serve a.gguf --embedding --sleep-idle-seconds 60', 'a.gguf --embeddings --idle-unload 60'],
  ['serve a.gguf -np=4 --n-gpu-layers=3', 'a.gguf --parallel=4 --gpu-layers=3'],
  ['serve a.gguf -c=4096', 'a.gguf -c 4096'],
  ['serve a.gguf -c4096', 'a.gguf -c4096'],
  ['serve -hf owner/repo:Q4_K_M', 'owner/repo:Q4_K_M'],
  ['eval --model=a.gguf b.gguf -f text --ctx 64', 'a.gguf b.gguf -f text --ctx-size 64'],
  ['eval b.gguf -m a.gguf -m c.gguf --file text', 'a.gguf c.gguf b.gguf --text text'],
  ['convert folder --outfile out.gguf --outtype q8_0', 'folder --output out.gguf --type q8_0'],
  ['calibrate -m a.gguf -f text -o out.gguf --output-format dat', 'a.gguf -f text -o out.gguf --format dat'],
  ['tokenize -m a.gguf -p hello', 'a.gguf --text hello'],
  ['tokenize a.gguf --file text', 'a.gguf --file text'],
  // A value is a value, whatever it looks like; so is all that follows two dashes.
  ['serve a.gguf --alias -np', 'a.gguf --alias -np'],
  ['serve a.gguf --alias=-np', 'a.gguf --alias=-np'],
  ['serve -np -ngl', '--parallel -ngl'],
  ['quantize a.gguf --tensor-type -m=Q8_0 --tensor-type x=-np=4', 'a.gguf --tensor-type -m=Q8_0 --tensor-type x=-np=4'],
  ['serve -- -m', '-- -m'],
  ['inspect -', '-'],
])('%s', async (line, expected) => {
  expect((await rewritten(line)).args.join(' ')).toBe(expected);
});

test.each([
  ['serve a -tb 4', /serve has no -tb.*-t/],
  ['quantize a -n 100', /quantize has no -n\. Only what generates/],
  ['eval a --temp 0', /eval has no --temp\. Only what generates/],
  ['eval a -b 512', /eval has no -b\. Only serve/],
  ['eval a --batch-size 512', /eval has no --batch-size/],
  ['quantize a -ngl 1', /quantize has no -ngl\..*eval, serve, run, logits/],
  ['quantize a -fa', /quantize has no -fa/],
  ['quantize a -p x', /quantize has no -p/],
  ['logits a --text hello', /logits has no --text\. .*logits token ids \(--ids/],
  ['merge -m a', /merge has no -m/],
  ['eval a --kl-divergence-base x', /--base-file/],
  ['serve -m -ngl', /-m needs the name of a model/],
  ['serve -m', /-m needs the name of a model/],
  ['serve a -fa off', /-fa is on or auto, not 'off'.*--device reference/],
  ['serve a -fa=maybe', /on or auto, not 'maybe'/],
  ['serve a --reasoning-format none', /deepseek or auto, not 'none'/],
  ['serve a --reasoning-format', /not ''/],
  ['serve a --jinja=x', /a switch without a value, not 'x'/],
  ['quantize a --jinja', /quantize has no --jinja\. Only serve/],
  ['serve a --no-jinja', /always Jinja/],
  ['serve a --context-shift', /Nothing is ever cut/],
])('%s is refused', async (line, message) => {
  const error = await rewritten(line).catch((cause) => cause);
  expect(error.describe()).toMatch(message);
  expect(error.code).toMatch(/^usage-/);
});

const asSettled = ['-cb', '-kvu', '--jinja', '--metrics', '--no-mmap', '--rerank', '--reasoning-format deepseek'];
test.each(['-fa', '-fa on', '-fa=auto', '--flash-attn auto', '--flash-attn 1', ...asSettled])(
  '%s is told to change nothing, and the model stays',
  async (flag) => {
    const { args, notes } = await rewritten(`serve ${flag} a.gguf`);
    expect(args).toEqual(['a.gguf']);
    expect(notes).toEqual([expect.stringMatching(/changes nothing/)]);
  },
);

test('every settled flag is beside one that some command has, and has no row of its own elsewhere', async () => {
  const parsers = await Promise.all(commands.map(async ({ load }) => parserOf(await load())));
  const known = new Set(parsers.flatMap(({ options }) => options.flatMap(({ long, short }) => [long, short])));
  const others = llamaFlags.flatMap(({ names }) => names);
  for (const { names, beside } of settledFlags) {
    expect(known).toContain(beside);
    for (const name of names) expect([...known, ...others], name).not.toContain(name);
  }
});

test('every row leads to a flag that some command has, or says what to do', async () => {
  const parsers = await Promise.all(commands.map(async ({ load }) => parserOf(await load())));
  const known = new Set(parsers.flatMap(({ options }) => options.map(({ long }) => long)));
  for (const { names, means, instead } of llamaFlags) {
    expect(means ?? instead, names[0]).toBeDefined();
    if (means !== undefined && means !== 'model') expect(known).toContain(means);
  }
});

test('a type given to -t, which is the threads, is told its flag', async () => {
  const remedy = 'For the type write --type Q4_K_M.';
  for (const line of ['quantize a.gguf -t Q4_K_M', 'quantize a.gguf -t=Q4_K_M', 'convert folder -t Q4_K_M'])
    await expect(rewritten(line)).rejects.toMatchObject({ code: 'usage-bad-number', remedy });
  expect((await rewritten('quantize a.gguf -t 4')).args.join(' ')).toMatch(/a\.gguf (-t|--threads) 4/);
});
