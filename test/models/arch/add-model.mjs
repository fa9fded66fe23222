#!/usr/bin/env node
// Copies a tiny checkpoint with its goldens into this folder: config, weights, tokenizer, transformers' results, and
// llama.cpp's conversion as llama.cpp-bf16.json (made from llama.cpp-bf16.gguf where the source has that).
// usage: node add-model.mjs FOLDER-OF-MODELS NAME…
import { cpSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [source, ...names] = process.argv.slice(2);
const about =
  "convert_hf_to_gguf.py of llama.cpp 0.5.0; shape is ggml's order (fastest first); tokenizer arrays: sha256 of JSON.stringify(array) for strings, of the little-endian bytes in the file for numbers; tensors: sha256 of the data bytes";
for (const name of names) {
  const [from, to] = [join(source, name), join(import.meta.dirname, name)];
  mkdirSync(to, { recursive: true });
  for (const file of readdirSync(from)) {
    if (!file.startsWith('llama.cpp-')) cpSync(join(from, file), join(to, file), { recursive: true });
  }
  const json = join(from, 'llama.cpp-bf16.json');
  if (existsSync(json)) {
    cpSync(json, join(to, 'llama.cpp-bf16.json'));
    continue;
  }
  const { readGguf } = await import(pathToFileURL(join(source, 'compare-gguf-json.mjs')));
  const { metadata, tensors } = readGguf(join(from, 'llama.cpp-bf16.gguf'));
  const lines = [
    `{"about": ${JSON.stringify(about)},`,
    '"metadata": {',
    Object.entries(metadata)
      .map(([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`)
      .join(',\n'),
    '},',
    '"tensors": [',
    tensors.map((tensor) => JSON.stringify(tensor)).join(',\n'),
    ']}',
    '',
  ];
  writeFileSync(join(to, 'llama.cpp-bf16.json'), lines.join('\n'));
}
