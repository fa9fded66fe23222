// What structured output costs: compiling a set of 60 tools, and a mask for each token of tool calls with a vocabulary of
// 128,256 tokens (Llama 3). Processor time of this process, so that a busy machine says the same.
//   npx tsx --conditions=source test/perf/grammar.ts [vocabulary.gguf]
import { openGguf } from '@quern/gguf';
import { Automaton, compileGrammar, GrammarMatcher, TokenTrie } from '@quern/grammar';
import { tokenizerFromGguf } from '@quern/tokenizer';
import { schema, tools } from './sixty-tools.ts';

const data = process.env.QUERN_DATA ?? new URL('../../../shared/data', import.meta.url).pathname;
const path = process.argv[2] ?? `${data}/vocab/ggml-vocab-llama-bpe.gguf`;

/** Milliseconds of processor time. */
function cost<T>(work: () => T): { ms: number; result: T } {
  const before = process.cpuUsage();
  const result = work();
  const { user, system } = process.cpuUsage(before);
  return { ms: (user + system) / 1000, result };
}

const gguf = await openGguf(path);
const tokenizer = tokenizerFromGguf(gguf.metadata);
await gguf.close();
const bytes = Array.from({ length: tokenizer.vocabSize }, (_, id) => tokenizer.decodeBytes([id]));
const { ms: trieMs, result: trie } = cost(() => new TokenTrie(bytes));
console.log(`${tokenizer.vocabSize} tokens; their tree: ${trieMs.toFixed(0)} ms, once for a model`);

const compile = () => compileGrammar({ kind: 'json-schema', schema });
const compiles = Array.from({ length: 10 }, () => cost(compile).ms);
console.log(
  `60 tools: compiled in ${compiles[0]!.toFixed(1)} ms at first, ${Math.min(...compiles).toFixed(1)} ms warm`,
);

const sample = (i: number): unknown =>
  [
    'A text of some words, as they are written.',
    'Another one',
    17,
    3.25,
    true,
    'asc',
    ['one', 'two words'],
    '2024-05-06T07:08:09Z',
    `abc_def-${i}`,
  ][i % 9];
const calls = tools.map((tool, t) => {
  const names = Object.keys(tool.properties.arguments.properties);
  const values = Object.fromEntries(names.map((name, p) => [name, sample(t + p)]));
  return JSON.stringify({ name: `tool_number_${t}`, arguments: values });
});

const encoded = calls.map((call) => ({ call, ids: [...tokenizer.encode(call)] }));

function round(name: string, automaton: Automaton): void {
  const times: number[] = [];
  const { ms } = cost(() => {
    for (const { call, ids } of encoded) {
      const matcher = new GrammarMatcher(automaton);
      for (const token of ids) {
        const start = performance.now();
        const mask = matcher.allowed;
        times.push(1000 * (performance.now() - start));
        if (!mask.has(token) || !matcher.accept(token)) throw new Error(`${call}: token ${token} is not allowed`);
      }
    }
  });
  times.sort((a, b) => a - b);
  const at = (share: number): string => times[Math.floor(share * (times.length - 1))]!.toFixed(0);
  const mean = (1000 * ms) / times.length;
  console.log(
    `${name}, 60 calls, ${times.length} tokens: mean ${mean.toFixed(0)} µs of processor time; ` +
      `mask p50 ${at(0.5)}, p90 ${at(0.9)}, p99 ${at(0.99)}, most ${at(1)} µs`,
  );
}

const first = new Automaton(compile(), trie);
round('the first grammar of a process', first);
round('the same once more', first);
for (let i = 0; i < 3; i++) round('another grammar', new Automaton(compile(), trie));
