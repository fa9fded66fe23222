// docs/ops.md is this file's snapshot: after changing an op, `npx vitest run test/conformance/ops-page.test.ts -u`.
import { cacheTypes, type Op, type Operand, ops, type ParamRule } from '@quern/runtime';
import { expect, it } from 'vitest';

function operandLine(kind: string, { name, dtype, shape, optional, mayAlias, below, wholeBlocks }: Operand): string {
  const notes = [
    optional && 'optional',
    mayAlias && 'may be the output',
    below && `values 0 … ${below} − 1`,
    wholeBlocks && `${wholeBlocks} is whole blocks`,
  ];
  return `| ${kind} | \`${name}\` | ${dtype} | [${shape.join(', ')}] | ${notes.filter(Boolean).join('; ')} |`;
}

function ruleText(rule: ParamRule): string {
  if (rule.kind === 'flag') return `true or false, default ${rule.default}`;
  const fallback = 'default' in rule && rule.default !== undefined ? `, default ${rule.default}` : '';
  if (rule.kind === 'choice') return rule.of.map((value) => `'${value}'`).join(' or ') + fallback;
  const least = rule.min === undefined ? '' : ` ≥ ${rule.min}`;
  const optional = rule.optional ? ', optional' : '';
  if (rule.kind === 'number') return `number${least}${rule.above === undefined ? '' : ` > ${rule.above}`}${optional}`;
  const step = rule.multipleOf ? `, multiple of ${rule.multipleOf}` : '';
  const most = rule.max === undefined ? '' : ` and ≤ ${rule.max}`;
  return `integer${least}${most}${step}${optional}${fallback}`;
}

function section({ name, formula, inputs, output, params, tolerance, wgslTolerance, cpu, wgsl }: Op): string {
  const rules = Object.entries<ParamRule>(params).map(
    ([param, rule]) => `| param | \`${param}\` | | | ${ruleText(rule)} |`,
  );
  const devices = `reference${cpu ? ', cpu' : ' (cpu runs it there)'}${wgsl ? ', webgpu' : ''}`;
  const onGpu = wgslTolerance ? `, of webgpu ≤ ${wgslTolerance}` : '';
  return [
    `## ${name}`,
    '',
    `${formula}`,
    '',
    '| | name | dtype | shape | |',
    '|---|---|---|---|---|',
    ...inputs.map((input) => operandLine('input', input)),
    operandLine('output', output),
    ...rules,
    '',
    `Devices: ${devices}. NMSE against the reference ≤ ${tolerance}${tolerance === 0 ? ' (the same numbers)' : ''}${onGpu}.`,
    '',
  ].join('\n');
}

const page = [
  '# Ops',
  '',
  'Generated from the `op.ts` of each op in packages/runtime/src/ops by test/conformance/ops-page.test.ts; do not edit.',
  'T tokens of the batch, S its sequences, E experts; `weights` is any stored type that can be decoded; `cache` is',
  `${cacheTypes.join(', ')}; a shape […] is any shape.`,
  '',
  ...Object.values(ops as unknown as Record<string, Op>).map(section),
].join('\n');

it('docs/ops.md says what the ops are', async () => {
  await expect(page).toMatchFileSnapshot('../../docs/ops.md');
});
