// What `quern inspect`, `tokenize`, `embed` and `logits` are called and take.
import { adapterFlags, deviceFlags, overrideFlags } from '@quern/models/flags';
import { type CommandDefinition, type Flag, servedForms } from '@quern/terminal';
import type { EmbedOptions } from './embed.ts';
import type { InspectOptions } from './inspect.ts';
import type { LogitsOptions } from './logits.ts';
import type { TokenizeOptions } from './tokenize.ts';

const model = { name: '<model>', isModel: true, description: servedForms };
const json: Flag = { flags: '--json', description: 'print one JSON document' };

export const inspect: CommandDefinition<[model: string], InspectOptions> = {
  name: 'inspect',
  description: 'What a model is: architecture, tensors, types, bits per weight.',
  arguments: [{ ...model, description: 'GGUF or safetensors file, checkpoint folder, created model, hub id or URL' }],
  flags: [
    {
      title: 'Options',
      flags: [
        { flags: '--tensors', description: 'list every tensor; otherwise those of like layers share a line' },
        { flags: '--metadata', description: 'list all of the metadata' },
        { ...json, description: 'print one JSON document, tensors and metadata included' },
      ],
    },
  ],
  help: `
Examples:
  $ quern inspect llama.gguf
  $ quern inspect ./Llama-3.2-1B --tensors
  $ quern inspect bartowski/Llama-3.2-1B-Instruct-GGUF:Q4_K_M
  $ quern inspect https://example.org/model.gguf --json

Any GGUF or safetensors file goes, of any architecture: adapters, projectors,
importance matrices, vocabularies, splits. Of a hub id or URL the headers are
read by range, and nothing is kept. A checkpoint folder that quern can convert
is described as the GGUF model that "quern convert" would make of it.`,
  run: async ({ arguments: [name], options, context }) =>
    (await import('./inspect.ts')).inspect(name, options, context),
};

export const tokenize: CommandDefinition<[model: string], TokenizeOptions> = {
  name: 'tokenize',
  description: 'Text to token ids.',
  arguments: [{ ...model, description: 'file, folder or hub id of a model, or of a tokenizer alone; a created model' }],
  flags: [
    {
      title: 'Options',
      flags: [
        { flags: '--text <text>', description: 'the text', conflicts: ['file'] },
        { flags: '-f, --file <file>', description: 'read the text from a UTF-8 file, whole' },
        { flags: '--special', description: 'recognise special tokens written in the text' },
        { flags: '--add-special', description: 'add BOS and EOS where the model wants them' },
        json,
      ],
    },
  ],
  help: `
Examples:
  $ quern tokenize llama.gguf --text "Hello world"
  $ quern tokenize ./Llama-3.2-1B --file prompt.txt --special --json
  $ quern tokenize Qwen/Qwen3-0.6B --text "Hello world"

Of a hub id the tokenizer is fetched, not the weights. Any architecture goes.
Without --special, "<|im_start|>" in the text is ordinary text.`,
  run: async ({ arguments: [name], options, context }) =>
    (await import('./tokenize.ts')).tokenize(name, options, context),
};

export const embed: CommandDefinition<[model: string], EmbedOptions> = {
  name: 'embed',
  description: 'Vectors of texts, by an embedding model.',
  arguments: [model],
  flags: [
    {
      title: 'Options',
      flags: [
        { flags: '--text <text>', description: 'a text; may be given again', repeatable: true },
        {
          flags: '-f, --file <file>',
          description: 'a UTF-8 file that is a text; may be given again',
          repeatable: true,
        },
        {
          flags: '--pooling <kind>',
          description: 'how the states of a text become one vector (default: as the model says)',
          choices: ['mean', 'cls', 'last'],
        },
        json,
      ],
    },
    { title: 'Computing', flags: deviceFlags },
  ],
  help: `
Examples:
  $ quern embed all-MiniLM-L6-v2.gguf --text "A text" --text "Another text"
  $ quern embed ./bge-small-en-v1.5 --file a.txt --file b.txt --json
  $ quern embed Qwen/Qwen3-Embedding-0.6B --text "Where is the king?"

One line for each text, texts before files: a list of numbers. With --json one
document, {"embeddings": [[…], …], …}. Pooling, the matrices behind it and
normalization are those of the model's sentence-transformers files, or of the
keys that "quern convert" made of them. What many models want put before a text
("query: ") is yours to put there. A text longer than the model's context is an
error: nothing is cut off.`,
  run: async ({ arguments: [name], options, context }) => (await import('./embed.ts')).embed(name, options, context),
};

export const logits: CommandDefinition<[model: string], LogitsOptions> = {
  name: 'logits',
  description: 'Logits of every position, for comparing engines.',
  arguments: [model],
  flags: [
    {
      title: 'Options',
      flags: [
        { flags: '--ids <list>', description: 'token ids, separated by commas', conflicts: ['idsFile'] },
        { flags: '--ids-file <file>', description: 'token ids separated by spaces, commas or lines, or a JSON list' },
        {
          flags: '-o, --output <file>',
          description: 'file to write, or a folder for it (default: logits.safetensors)',
        },
        { flags: '--force', description: 'replace an existing output file' },
        json,
      ],
    },
    { title: 'Computing', flags: deviceFlags },
    { title: 'LoRA adapters', flags: adapterFlags },
    { title: 'Metadata for this run', flags: overrideFlags },
  ],
  help: `
Examples:
  $ quern logits llama.gguf --ids 1,15043,3186
  $ quern logits ./Llama-3.2-1B --ids-file ids.json -o llama.safetensors

The file holds "logits" F32 [positions, vocabulary] and "input_ids" I32
[positions]. The ids are taken as they are: no BOS is added. --device reference
computes with the plain TypeScript reference (slow), to tell a kernel's fault
from a model's.`,
  run: async ({ arguments: [name], options, context }) => (await import('./logits.ts')).logits(name, options, context),
};
