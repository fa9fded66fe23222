// THE table of llama.cpp's flags (tools and converter) that have another name here, or none: what people have in their
// fingers and scripts. A row with `means` is rewritten where the command has that flag; everything else is refused with
// what to use instead, so that no flag is read and does nothing.

/** In place of a flag's name: the value is the model that the command is about. */
export const modelArgument = 'model';

export interface LlamaFlag {
  /** As llama.cpp spells it, and as quern spells flags of several letters elsewhere (`--ngl`). */
  readonly names: readonly string[];
  /** quern's long flag of the same meaning, or `modelArgument`. */
  readonly means?: string;
  /** Of commands with that name alone; others have the flag in another sense. */
  readonly only?: string;
  /** What to do where the command has no such flag. */
  readonly instead?: string;
}

const runs = 'Commands that run a model have it: eval, serve, run, logits.';
const onlyServe = 'Only serve guesses tokens ahead.';
const ofRequests = 'Only what generates has it: serve, run.';
const automatic = 'Leave it out: it is always so here.';

export const llamaFlags: readonly LlamaFlag[] = [
  { names: ['-m', '--model', '-hf', '-hfr', '--hf-repo', '-mu', '--model-url'], means: modelArgument },
  { names: ['-hff', '--hf-file'], instead: 'Name the file with the model: owner/repo/file.gguf.' },
  { names: ['-o', '--outfile', '--output-file'], means: '--output' },
  { names: ['--outtype'], means: '--type' },
  { names: ['--file'], means: '--text' },
  {
    names: ['-p', '--prompt'],
    means: '--text',
    only: 'tokenize',
    instead: 'eval and calibrate read a text file, logits token ids (--ids, from quern tokenize); a server is asked.',
  },
  { names: ['-t'], means: '--threads' },
  { names: ['-tb', '--threads-batch'], instead: 'One number of threads, -t, is for prompts and replies.' },
  { names: ['-c', '--ctx'], means: '--ctx-size' },
  {
    names: ['-b', '-ub', '--ubatch-size'],
    means: '--batch-size',
    instead: 'Only serve has it; eval and calibrate compute a window (-c) at a time.',
  },
  { names: ['-np', '--np'], means: '--parallel', instead: 'Only serve computes several requests together.' },
  { names: ['-cram', '--cram'], means: '--cache-ram', instead: 'Only serve keeps what earlier requests computed.' },
  { names: ['-ngl', '--ngl', '--n-gpu-layers'], means: '--gpu-layers', instead: runs },
  { names: ['-dev'], means: '--device', instead: runs },
  { names: ['-sm'], means: '--split-mode', instead: runs },
  {
    names: ['-ctk', '--ctk'],
    means: '--cache-type-k',
    instead: 'Commands with a KV cache to choose have it: eval, serve.',
  },
  {
    names: ['-ctv', '--ctv'],
    means: '--cache-type-v',
    instead: 'Commands with a KV cache to choose have it: eval, serve.',
  },
  { names: ['-md', '--spec-draft-model'], means: '--model-draft', instead: onlyServe },
  { names: ['-hfd', '-hfrd', '--hf-repo-draft', '--spec-draft-hf'], means: '--model-draft', instead: onlyServe },
  { names: ['--draft', '--draft-n', '--spec-draft-n-max'], means: '--draft-max', instead: onlyServe },
  { names: ['--draft-n-min', '--spec-draft-n-min'], means: '--draft-min', instead: onlyServe },
  { names: ['--spec-draft-p-min'], means: '--draft-p-min', instead: onlyServe },
  { names: ['--spec-ngram-simple-size-n'], means: '--spec-ngram-size-n', instead: onlyServe },
  { names: ['--spec-ngram-simple-size-m'], means: '--spec-ngram-size-m', instead: onlyServe },
  {
    names: ['-ngld', '--gpu-layers-draft', '--n-gpu-layers-draft', '-devd', '--device-draft', '-ctkd', '-ctvd'],
    instead: 'Leave it out: a draft model goes where the model goes, with caches of the same types.',
  },
  { names: ['-td', '--threads-draft'], instead: 'One number of threads, -t, is for both models.' },
  { names: ['--draft-p-split', '--spec-draft-p-split'], instead: 'Leave it out: guesses have no branches here.' },
  { names: ['-mg', '--main-gpu'], instead: 'Name the GPU: --device webgpu:<part of its name>.' },
  { names: ['-ts', '--tensor-split'], instead: 'Say what devices take with --gpu-layers or --device-memory.' },
  {
    names: ['-ot', '--override-tensor', '-cmoe', '--cpu-moe', '-ncmoe', '--n-cpu-moe'],
    instead: 'Say what the GPU takes with --gpu-layers.',
  },
  { names: ['-to'], means: '--timeout', instead: 'Only serve waits for clients.' },
  { names: ['-s'], means: '--seed', instead: ofRequests },
  { names: ['--models-preset'], means: '--preset', instead: 'Only serve has several models.' },
  { names: ['-sys', '--system-prompt'], means: '--system', instead: 'Each request says it, as its first message.' },
  { names: ['-n', '--predict'], means: '--n-predict', instead: ofRequests },
  { names: ['--temperature'], means: '--temp', instead: ofRequests },
  { names: ['--typical-p'], means: '--typical', instead: ofRequests },
  {
    names: ['--temp', '--top-k', '--repeat-penalty', '--top-p', '--min-p', '--presence-penalty', '--frequency-penalty'],
    instead: ofRequests,
  },
  {
    names: ['--grammar', '--grammar-file', '--json-schema', '--json-schema-file', '-jf'],
    instead: 'Each request says it, as grammar or json_schema.',
  },
  { names: ['--jinja', '-cb', '--cont-batching'], instead: automatic },
  {
    names: ['--chat-template', '--chat-template-file'],
    instead: 'Only serve takes another template than the model’s own.',
  },
  { names: ['--mmap', '--no-mmap', '--mlock'], instead: 'Leave it out: weights are always read into memory.' },
  {
    names: ['-v', '--verbose', '-lv', '--verbosity'],
    instead: 'There is one level of messages; -q leaves out progress.',
  },
  // llama-perplexity
  { names: ['--kl-divergence-base'], instead: '--save-base writes such a file, --base-file compares with it.' },
  {
    names: ['--kl-divergence'],
    instead: 'Leave it out: with --base or --base-file the divergence is always computed.',
  },
  { names: ['--ppl-stride'], instead: '--profile hf-stride --stride does this.' },
  { names: ['--hellaswag-tasks', '--winogrande-tasks', '--multiple-choice-tasks'], means: '--max-tasks' },
  // llama-imatrix
  { names: ['--in-file'], means: '--merge' },
  { names: ['--output-format'], means: '--format', only: 'calibrate' },
  { names: ['-ofreq', '--output-frequency', '--save-frequency'], instead: '--save-every says it in seconds.' },
  { names: ['--no-ppl'], instead: 'Leave it out: calibrating computes no perplexity.' },
  // convert_hf_to_gguf.py
  {
    names: ['--split-max-size', '--split-max-tensors'],
    instead: 'A GGUF is written as one file; --max-shard-size is for --to hf.',
  },
  { names: ['--no-lazy', '--use-temp-file'], instead: 'Leave it out: memory is always bounded.' },
  { names: ['--remote'], instead: 'Leave it out: a hub id is fetched.' },
  { names: ['--model-name'], instead: '--override-kv general.name=str:NAME sets it, with a quantized --type.' },
];

const rows = new Map(llamaFlags.flatMap((row) => row.names.map((name) => [name, row] as const)));

/** The row of a flag as it is typed, or of quern's own name of it. */
export const llamaFlagNamed = (name: string): LlamaFlag | undefined =>
  rows.get(name) ?? llamaFlags.find(({ means, instead }) => means === name && instead !== undefined);

/** Long names, for suggestions. */
export const longLlamaNames: readonly string[] = [...rows.keys()].filter((name) => name.startsWith('--'));

/** Names of several letters after one dash, for help: `-ngl` of `--gpu-layers`. */
export const shortNamesOf = (flag: string): string[] =>
  llamaFlags.flatMap(({ names, means }) => (means === flag ? names.filter((name) => /^-[a-z]{2,}$/.test(name)) : []));
