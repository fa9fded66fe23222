// The table of commands. A module is loaded only when its command runs, so that `quern --help` does not wait for kernels
// and tokenizers.
import type { Command } from 'commander';

export interface CommandRow {
  name: string;
  /** The line of `quern --help`. */
  summary: string;
  load(): Promise<Command>;
}

export const commands: readonly CommandRow[] = [
  {
    name: 'convert',
    summary: 'Hugging Face checkpoint to GGUF, quantized on the way if asked',
    load: async () => (await import('@quern/convert-command')).convertCommand(),
  },
  {
    name: 'quantize',
    summary: 'to fewer bits: GGUF types and mixtures, AWQ and GPTQ folders',
    load: async () => (await import('@quern/quantize-command')).quantizeCommand(),
  },
  {
    name: 'merge',
    summary: 'the parts of --shard, or a split GGUF, into one file',
    load: async () => (await import('@quern/quantize-command')).mergeCommand(),
  },
  {
    name: 'calibrate',
    summary: 'importance matrix of a model on a text',
    load: async () => (await import('@quern/calibrate-command')).calibrateCommand(),
  },
  {
    name: 'eval',
    summary: 'perplexity and KL divergence of models on a text, as one table',
    load: async () => (await import('@quern/eval-command')).evalCommand(),
  },
  {
    name: 'serve',
    summary: 'OpenAI-compatible server with a chat page',
    load: async () => (await import('@quern/serve-command')).serveCommand(),
  },
  {
    name: 'inspect',
    summary: 'what a model is: architecture, tensors, types, bits per weight',
    load: async () => (await import('./inspect.ts')).inspectCommand(),
  },
  {
    name: 'tokenize',
    summary: 'text to token ids',
    load: async () => (await import('./tokenize.ts')).tokenizeCommand(),
  },
  {
    name: 'logits',
    summary: 'logits of every position, for comparing engines',
    load: async () => (await import('./logits.ts')).logitsCommand(),
  },
];
