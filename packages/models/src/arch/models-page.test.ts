// docs/models.md is this file's snapshot: after changing a record, `npx vitest run packages/models/src/arch/models-page.test.ts -u`.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { hfArchitecture } from '../lens/choose-architecture.ts';
import { textConfigOf } from '../lens/wrapper.ts';
import type { Architecture } from './architecture.ts';
import { architectures } from './index.ts';

const models = fileURLToPath(new URL('../../../../test/models/arch/', import.meta.url));

/** Tiny checkpoints of test/models/arch by the family of their record. */
const tested = new Map<string, string[]>();
for (const entry of readdirSync(models, { withFileTypes: true }).filter((file) => file.isDirectory())) {
  const config = JSON.parse(readFileSync(`${models}${entry.name}/config.json`, 'utf8'));
  const { family } = hfArchitecture({ path: entry.name, config }, textConfigOf({ config }).config);
  tested.set(family, [...(tested.get(family) ?? []), entry.name]);
}

function features({ experts, draft, rope, slidingWindow, tensors, config }: Architecture): string {
  const keys = config.flatMap((rule) => (typeof rule === 'object' ? rule.gguf : []));
  const windows = slidingWindow || keys.some((key) => key.startsWith('attention.sliding_window'));
  const parts = [
    experts === true ? 'experts' : experts === 'some' && 'experts or not',
    windows && 'windows',
    keys.some((key) => key.startsWith('ssm.')) && 'recurrent blocks',
    draft && 'draft blocks',
    keys.includes('attention.causal')
      ? 'encoder'
      : tensors.some(({ presence }) => presence === 'untied') || 'tied only',
    rope
      ? `rope ${rope.types.filter((type) => type !== 'default').join(', ') || 'unscaled'}`
      : keys.includes('rope.scaling.factor')
        ? 'rope yarn'
        : 'no rope',
  ];
  return parts.filter((part) => typeof part === 'string').join('; ');
}

function row(architecture: Architecture): string {
  const { family, name, hf, network, awq } = architecture;
  const marks = [true, network !== undefined, true, network !== undefined && awq.length > 0].map((can) =>
    can ? 'yes' : '–',
  );
  const cells = [
    family === name ? family : `${family} (${name})`,
    hf.map((one) => `\`${one}\``).join(', '),
    features(architecture),
    ...marks,
    (tested.get(family) ?? []).join(', ') || '–',
  ];
  return `| ${cells.join(' | ')} |`;
}

const remarks = architectures.flatMap(({ family, remarks: lines = [] }) => lines.map((line) => `- ${family}: ${line}`));

/** Why no folder of packed weights is made, and of which. */
const notPacked = new Map<string, string[]>();
for (const { family, awq, notPacked: why } of architectures)
  if (awq.length === 0) notPacked.set(why ?? '', [...(notPacked.get(why ?? '') ?? []), family]);

const page = [
  '# Models',
  '',
  'Generated from the records in packages/models/src/arch by packages/models/src/arch/models-page.test.ts; do not edit.',
  '',
  '**converts**: a checkpoint becomes GGUF (and any type of `quantize`); **runs**: `eval`, `serve`, `calibrate` and the rest',
  'compute with it on both devices; **exports**: GGUF becomes a checkpoint again; **AWQ**: `quantize --type awq|gptq` and',
  '`--awq-scales` know which weights share an input; **tested against**: the tiny checkpoints of test/models/arch that',
  "llama.cpp's converter and, where it runs, transformers are compared on. A class without its head (`Qwen3Model`) is taken",
  'for the class with it.',
  '',
  '| architecture (GGUF) | classes | features | converts | runs | exports | AWQ | tested against |',
  '|---|---|---|---|---|---|---|---|',
  ...[...architectures].sort((a, b) => (a.family < b.family ? -1 : 1)).map(row),
  '',
  '## Where AWQ, GPTQ and rtn refuse',
  '',
  ...[...notPacked].map(([why, families]) => `- ${families.join(', ')}: ${why}`),
  '',
  ...(remarks.length > 0 ? ['## Where they differ', '', ...remarks, ''] : []),
].join('\n');

it('docs/models.md says what the records say', async () => {
  await expect(page).toMatchFileSnapshot('../../../../docs/models.md');
});
