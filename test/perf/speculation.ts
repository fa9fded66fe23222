// Tokens per second with guesses ÷ without, on a text that repeats itself and on one that does not: greedy replies, which are
// the same tokens either way (checked), 1 and 4 at a time, turn by turn.
//
// Run: npx tsx --conditions=source test/perf/speculation.ts file.gguf [--type ngram-simple] [--draft small.gguf]
//      [--threads 1] [--tokens 128] [--rounds 3] [--sequences 1,4] [--clock cpu]
// The clock `cpu` counts processor time, of all threads together: for a machine with other work.
import { readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { openCore, type SpeculationType } from '@quern/engine';
import { openModel } from '@quern/models';
import { tokenizerFromGguf } from '@quern/tokenizer';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    type: { type: 'string', default: 'ngram-simple' },
    draft: { type: 'string' },
    threads: { type: 'string', default: '1' },
    tokens: { type: 'string', default: '128' },
    rounds: { type: 'string', default: '3' },
    sequences: { type: 'string', default: '1,4' },
    clock: { type: 'string', default: 'wall' },
  },
});
const [path] = positionals as [string];
const [threads, maxTokens, rounds] = [values.threads, values.tokens, values.rounds].map(Number) as [
  number,
  number,
  number,
];
const cpuMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
const clock = values.clock === 'cpu' ? cpuMs : () => performance.now();

const prose = readFileSync(new URL('../models/text/prose-test.txt', import.meta.url), 'utf8').slice(0, 600);
/** A text, and the same once more: models copy what they have begun to copy. */
const copied = `${prose}\n\nOnce more:\n\n${prose}\n\nOnce more:\n\n${prose.slice(0, 120)}`;
const texts = { 'prose, copied': copied, prose };

const view = await openModel(path);
const tokenizer = tokenizerFromGguf(view.metadata);
await view.close();

const sizes = { contextTokens: 1024, cacheTokens: 4096, maxSequences: 4, cacheRamBytes: 0 };
const devices = { threads, activations: 'int8' as const };
const draft = values.draft === undefined ? {} : { draftModelPath: values.draft };
const speculation = { types: [values.type as SpeculationType], ...draft };
const plain = await openCore({ modelPath: path, ...sizes, ...devices });
const guessing = await openCore({ modelPath: path, ...sizes, ...devices, speculation });

/** Milliseconds after the first tokens of all, and the replies. */
async function replyMs({ core }: typeof plain, prompt: Int32Array, sequences: number) {
  const replies = Array.from({ length: sequences }, (): number[] => []);
  for (const reply of replies)
    core.submit(prompt, { maxTokens, sampling: { temperature: 0 } }, (outcome) => {
      if ('event' in outcome && 'token' in outcome.event) reply.push(outcome.event.token);
    });
  while (replies.some(({ length }) => length === 0)) await core.step();
  const begun = replies.reduce((sum, { length }) => sum + length, 0);
  const start = clock();
  while (!core.idle) await core.step();
  const ms = clock() - start;
  return { perToken: ms / (replies.flat().length - begun), replies };
}

const median = (numbers: number[]) => numbers.sort((a, b) => a - b)[numbers.length >> 1]!;

console.log(
  `Node ${process.version}, ${threads} thread(s), ${values.clock} time, load ${loadavg()[0]!.toFixed(1)}, ${values.type}, ${maxTokens} tokens, medians of ${rounds} interleaved rounds`,
);
console.log(
  '| text | at a time | tokens/s without | with guesses | ratio | guesses right |\n|---|---|---|---|---|---|',
);
for (const [name, text] of Object.entries(texts))
  for (const sequences of values.sequences.split(',').map(Number)) {
    const prompt = tokenizer.encode(text, { addSpecial: true });
    const [without, withGuesses]: [number[], number[]] = [[], []];
    const before = guessing.core.stats.speculation!;
    for (let round = 0; round < rounds; round++) {
      const a = await replyMs(plain, prompt, sequences);
      const b = await replyMs(guessing, prompt, sequences);
      if (String(a.replies) !== String(b.replies))
        console.log(`(round ${round}: another reply, by the last places of its logits)`);
      without.push(a.perToken);
      withGuesses.push(b.perToken);
    }
    const after = guessing.core.stats.speculation!;
    const [a, b] = [1000 / median(without), 1000 / median(withGuesses)];
    const [guessed, accepted] = [after.guessed - before.guessed, after.accepted - before.accepted];
    console.log(
      `| ${name} | ${sequences} | ${a.toFixed(1)} | ${b.toFixed(1)} | ${(b / a).toFixed(2)} | ${accepted} of ${guessed} |`,
    );
  }
await guessing.dispose();
await plain.dispose();
