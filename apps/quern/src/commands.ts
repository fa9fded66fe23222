// The table of commands. A definition is loaded only when its command is named.
import type { AnyCommandDefinition } from '@quern/terminal';

export interface CommandRow {
  name: string;
  /** The line of `quern --help`. */
  summary: string;
  load(): Promise<AnyCommandDefinition>;
}

export const commands: readonly CommandRow[] = [
  {
    name: 'convert',
    summary: 'Hugging Face checkpoint to GGUF, quantized on the way if asked',
    load: async () => (await import('@quern/convert-command')).convert,
  },
  {
    name: 'convert-lora',
    summary: 'LoRA adapter of PEFT to GGUF',
    load: async () => (await import('@quern/convert-command')).convertLora,
  },
  {
    name: 'quantize',
    summary: 'to fewer bits: GGUF types and mixtures, AWQ and GPTQ folders',
    load: async () => (await import('@quern/quantize-command')).quantize,
  },
  {
    name: 'merge',
    summary: 'the parts of --shard, or a split GGUF, into one file',
    load: async () => (await import('@quern/quantize-command')).merge,
  },
  {
    name: 'calibrate',
    summary: 'importance matrix of a model on a text',
    load: async () => (await import('@quern/calibrate-command')).calibrate,
  },
  {
    name: 'eval',
    summary: 'perplexity and KL divergence of models on a text, as one table',
    load: async () => (await import('@quern/eval-command')).evaluate,
  },
  {
    name: 'serve',
    summary: 'server for the clients of OpenAI, Anthropic, Ollama and llama-server',
    load: async () => (await import('@quern/serve-command')).serve,
  },
  {
    name: 'run',
    summary: 'chat with a model in the terminal',
    load: async () => (await import('./run/definition.ts')).run,
  },
  {
    name: 'pull',
    summary: 'fetch a model of the hub into the cache',
    load: async () => (await import('./local/definitions.ts')).pull,
  },
  {
    name: 'create',
    summary: 'a model of another one: system prompt, parameters, adapters',
    load: async () => (await import('./create/definition.ts')).create,
  },
  {
    name: 'list',
    summary: 'the models that are on this machine',
    load: async () => (await import('./local/definitions.ts')).list,
  },
  {
    name: 'rm',
    summary: 'delete models from the cache',
    load: async () => (await import('./local/definitions.ts')).rm,
  },
  {
    name: 'inspect',
    summary: 'what a model is: architecture, tensors, types, bits per weight',
    load: async () => (await import('./definitions.ts')).inspect,
  },
  {
    name: 'tokenize',
    summary: 'text to token ids',
    load: async () => (await import('./definitions.ts')).tokenize,
  },
  {
    name: 'embed',
    summary: 'vectors of texts, by an embedding model',
    load: async () => (await import('./definitions.ts')).embed,
  },
  {
    name: 'logits',
    summary: 'logits of every position, for comparing engines',
    load: async () => (await import('./definitions.ts')).logits,
  },
];
