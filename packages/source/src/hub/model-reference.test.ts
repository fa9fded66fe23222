import { expect, it } from 'vitest';
import { type ModelReference, parseModelReference } from './model-reference.ts';

const hub = (repo: string, more: object = {}) => ({ kind: 'hub', repo, bare: false, ...more });

it.each<[string, object]>([
  ['owner/repo', { repo: 'owner/repo' }],
  ['owner/repo-GGUF:Q4_K_M', { repo: 'owner/repo-GGUF', quant: 'Q4_K_M' }],
  ['owner/repo:latest', { repo: 'owner/repo', quant: 'latest' }],
  ['owner/repo:m-q4_0.gguf', { repo: 'owner/repo', quant: 'm-q4_0.gguf' }],
  ['owner/repo:UD-Q4_K_XL', { repo: 'owner/repo', quant: 'UD-Q4_K_XL' }],
  ['owner/repo/model.gguf', { repo: 'owner/repo', path: 'model.gguf' }],
  ['owner/repo/sub dir/model-00001-of-00002.gguf', { repo: 'owner/repo', path: 'sub dir/model-00001-of-00002.gguf' }],
  ['owner/repo/model.safetensors', { repo: 'owner/repo', path: 'model.safetensors' }],
  ['owner/repo@v1', { repo: 'owner/repo', revision: 'v1' }],
  ['owner/repo@refs/pr/3', { repo: 'owner/repo', revision: 'refs/pr/3' }],
  ['owner/repo@feature/x', { repo: 'owner/repo', revision: 'feature/x' }],
  ['owner/repo@v1/sub/file.gguf', { repo: 'owner/repo', revision: 'v1', path: 'sub/file.gguf' }],
  ['owner/repo@refs/pr/3/file.gguf', { repo: 'owner/repo', revision: 'refs/pr/3', path: 'file.gguf' }],
  ['owner/repo@v1:Q8_0', { repo: 'owner/repo', revision: 'v1', quant: 'Q8_0' }],
  ['owner/repo:Q8_0@v1', { repo: 'owner/repo', revision: 'v1', quant: 'Q8_0' }],
])('%s is a hub id by its spelling', (text, parts) => {
  expect(parseModelReference(text)).toEqual({ kind: 'hub', bare: true, ...parts });
});

it.each<[string, ModelReference | object]>([
  ['hf.co/owner/repo:Q4_K_M', hub('owner/repo', { quant: 'Q4_K_M' })],
  ['huggingface.co/owner/repo', hub('owner/repo')],
  ['hf://owner/repo@v1/sub/file.gguf', hub('owner/repo', { revision: 'v1', path: 'sub/file.gguf' })],
  ['hf://owner/repo/sub', hub('owner/repo', { path: 'sub' })],
  ['HF://owner/repo', hub('owner/repo')],
  ['https://huggingface.co/owner/repo/', hub('owner/repo')],
  ['https://huggingface.co/gpt2', hub('gpt2')],
  ['https://huggingface.co/owner/repo/tree/main', hub('owner/repo', { revision: 'main' })],
  ['https://huggingface.co/owner/repo/tree/main/BF16', hub('owner/repo', { revision: 'main', path: 'BF16' })],
  ['https://huggingface.co/owner/repo/blob/main/a%20b.gguf', hub('owner/repo', { revision: 'main', path: 'a b.gguf' })],
  [
    'https://huggingface.co/owner/repo/resolve/refs%2Fpr%2F1/x/y.gguf?download=true',
    hub('owner/repo', { revision: 'refs/pr/1', path: 'x/y.gguf' }),
  ],
  [
    'https://huggingface.co/gpt2/blob/main/model.safetensors',
    hub('gpt2', { revision: 'main', path: 'model.safetensors' }),
  ],
  ['https://huggingface.co/owner/repo?show_file_info=a-Q8_0.gguf', hub('owner/repo', { path: 'a-Q8_0.gguf' })],
  ['https://mirror.test/hf/owner/repo/blob/v2/m.gguf', hub('owner/repo', { revision: 'v2', path: 'm.gguf' })],
  ['https://example.org/m.gguf?sig=1', { kind: 'url', url: 'https://example.org/m.gguf?sig=1' }],
  ['https://mirror.test/other/m.gguf', { kind: 'url', url: 'https://mirror.test/other/m.gguf' }],
  ['https://mirror.test/hf/files/m.gguf', { kind: 'url', url: 'https://mirror.test/hf/files/m.gguf' }],
  ['https://huggingface.co/owner/repo/m.gguf', hub('owner/repo', { path: 'm.gguf' })],
  ['file:///models/a%20b.gguf', { kind: 'path', path: '/models/a b.gguf' }],
])('%s says what it is', (text, reference) => {
  expect(parseModelReference(text, 'https://mirror.test/hf')).toEqual(reference);
});

it.each([
  ...['model.gguf', './owner/repo', '../x/y', '/abs/model', '~/model/x', 'models/tiny.gguf', 'a/config.json'],
  ...['models/deep/folder', 'C:/models/x.gguf', 'C:\\models\\x.gguf', 'models\\x', 'owner/repo/', 'a name/repo', ''],
])('%s is a path', (text) => {
  expect(parseModelReference(text)).toEqual({ kind: 'path', path: text });
});

it.each([
  ['ollama://library/llama3', 'reference-unknown-scheme'],
  ['s3://bucket/model.gguf', 'reference-unknown-scheme'],
  ['https://', 'reference-malformed'],
  ['hf://owner', 'reference-malformed'],
  ['hf.co/', 'reference-malformed'],
  ['https://huggingface.co/datasets/owner/data', 'reference-malformed'],
  ['https://huggingface.co/owner/repo/blob/main/%zz.gguf', 'reference-malformed'],
])('%s is refused', (text, code) => {
  expect(() => parseModelReference(text)).toThrowError(expect.objectContaining({ code }));
});
