// docs/dtypes.md is this file's snapshot: after changing the table or a codec,
// `npx vitest run packages/blocks/src/dtypes-page.test.ts -u`.
import { expect, test } from 'vitest';
import { bitsPerWeight, dtypes } from './dtype.ts';
import { compileKernels, instantiateKernels, kernelMemory } from './wasm/kernels.ts';

test('docs/dtypes.md says what the types are', async () => {
  const kernels = instantiateKernels(await compileKernels(), kernelMemory(1 << 18));
  const rows = dtypes.map((dtype) => [
    `\`${dtype.name}\``,
    dtype.ggmlId ?? '',
    dtype.safetensorsName ? 'yes' : '',
    dtype.blockSize,
    dtype.typeSize,
    Number(bitsPerWeight(dtype).toFixed(4)),
    kernels.decoder(dtype) ? 'yes' : '',
    kernels.encoder(dtype) ? 'yes' : kernels.weightedEncoder(dtype) ? 'with importance' : '',
  ]);
  const page = [
    '# Number types',
    '',
    'Generated from the table in packages/blocks/src/dtype.ts by packages/blocks/src/dtypes-page.test.ts; do not edit.',
    'Every type can be listed, sized and copied; `read` means weights of that type can be decoded, `written` that they can be made.',
    '',
    '| type | GGUF number | in safetensors | weights per block | bytes per block | bits per weight | read | written |',
    '|---|---|---|---|---|---|---|---|',
    ...rows.map((cells) => `| ${cells.join(' | ')} |`),
    '',
  ].join('\n');
  await expect(page).toMatchFileSnapshot('../../../docs/dtypes.md');
});
