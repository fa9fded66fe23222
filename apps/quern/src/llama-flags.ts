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

/** Values of quern's flags as llama.cpp's users write them: what is so without the flag (null), or its number. */
export const llamaValues: Readonly<Record<string, Readonly<Record<string, string | null>>>> = {
  '--gpu-layers': { auto: null, '-1': null, all: `${2 ** 20}`, '-2': `${2 ** 20}` },
  '--parallel': { '-1': null },
  '--threads': { '-1': null },
};

const runs = 'Commands that run a model have it: eval, serve, run, logits.';
const onlyServe = 'Only serve guesses tokens ahead.';
const ofRequests = 'Only what generates has it: serve, run.';

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
  { names: ['--embedding'], means: '--embeddings', instead: 'Only serve is told so; quern embed makes vectors.' },
  { names: ['--sleep-idle-seconds'], means: '--idle-unload', instead: 'Only serve waits for requests.' },
  { names: ['--no-webui'], means: '--no-ui', instead: 'Only serve has a page.' },
  { names: ['-rea'], means: '--reasoning', instead: ofRequests },
  { names: ['--top-nsigma'], means: '--top-n-sigma', instead: ofRequests },
  { names: ['--log-disable'], means: '--quiet' },
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
  {
    names: ['--chat-template', '--chat-template-file'],
    instead: 'Only serve takes another template than the model’s own.',
  },
  { names: ['--mmap', '--mlock'], instead: 'Leave it out: weights are always read into memory.' },
  {
    names: ['-v', '--verbose', '-lv', '--verbosity'],
    instead: 'There is one level of messages; -q leaves out progress.',
  },
  // llama-server
  { names: ['--no-jinja'], instead: 'Leave it out: chat templates are always Jinja.' },
  { names: ['--no-slots'], instead: 'Leave it out: GET /slots tells of no texts; --api-key keeps others away.' },
  { names: ['--no-kv-unified', '-no-kvu'], instead: 'Leave it out: requests share one cache (--cache-tokens).' },
  { names: ['--context-shift'], instead: 'Nothing is ever cut here: give a larger context (-c).' },
  { names: ['--no-cache-prompt', '--no-cache-idle-slots'], instead: '--cache-ram 0 keeps nothing.' },
  { names: ['--cache-reuse', '--keep', '-dt', '--defrag-thold'], instead: 'Leave it out: texts are never shifted.' },
  {
    names: ['--swa-full', '-ctxcp', '--ctx-checkpoints', '--swa-checkpoints', '-cms', '--checkpoint-min-step'],
    instead: 'Leave it out: states are kept at the ends of messages.',
  },
  { names: ['-sps', '--slot-prompt-similarity'], instead: 'Leave it out: whatever begins alike is found.' },
  { names: ['--no-models-autoload'], instead: 'Leave it out: a model that nobody names is not loaded.' },
  { names: ['--props'], instead: 'Leave it out: GET /props is there, and nothing can be changed by POST.' },
  { names: ['--tags'], instead: 'Leave it out: models have names (--alias) and no tags.' },
  { names: ['--api-prefix', '--path', '--reuse-port'], instead: 'A proxy in front of the server does it.' },
  {
    names: ['--threads-http', '--numa', '--prio', '--poll'],
    instead: 'Leave it out; -t says how many threads compute.',
  },
  {
    names: ['-fit', '--fit', '-fitt', '--fit-target', '-fitc', '--fit-ctx'],
    instead: 'What fits goes to the GPU anyway.',
  },
  { names: ['--no-kv-offload', '-nkvo'], instead: 'A cache is where its layers are: --gpu-layers.' },
  { names: ['--warmup'], instead: 'Leave it out: nothing is computed before the first request.' },
  { names: ['-mm', '--mmproj', '-mmu', '--mmproj-url', '--media-path'], instead: 'Leave it out: only text goes in.' },
  { names: ['-hft', '--hf-token'], instead: 'Set the variable HF_TOKEN.' },
  { names: ['--offline'], instead: 'Name a file or folder, or serve what is there already: --models-cached.' },
  {
    names: ['--log-file', '--log-timestamps', '--log-prefix', '--log-colors'],
    instead: 'The log is on stderr; --json has times.',
  },
  { names: ['--log-jsonl'], means: '--json' },
  { names: ['--ignore-eos', '-l', '--logit-bias', '--dry-sequence-breaker'], instead: 'Each request says it.' },
  {
    names: [
      '--tools',
      '--ui-mcp-proxy',
      '--webui-mcp-proxy',
      '--mcp-servers-config',
      '--mcp-servers-json',
      '-ag',
      '--agent',
    ],
    instead: 'The server runs no tools and fetches nothing for pages: clients do.',
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
