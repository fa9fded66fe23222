// Checks one call of an op against its spec, before a device touches memory.
import { dtypeByName } from '@quern/blocks';
import { QuernError } from '@quern/errors';
import type { Tensor } from '../device.ts';
import { cacheTypes } from './cache-types.ts';
import type { OpName, OpParams } from './index.ts';
import type { Dim, Dims, Indices, Op, Operand, ParamRule } from './op.ts';

const bad = (code: string, op: string, text: string) => new QuernError(code, `${op}: ${text}`);
const show = (shape: readonly number[]) => `[${shape.join(', ')}]`;

/**
 * Checks dtypes, shapes and parameters and returns every dimension by name.
 * @throws QuernError `op-bad-operands`, `op-bad-dtype`, `op-bad-shape`, `op-bad-param`
 */
export function checkCall<Name extends OpName>(
  spec: Op<Name>,
  inputs: readonly Tensor[],
  output: Tensor,
  params: OpParams[Name],
): Dims {
  const needed = spec.inputs.filter((operand) => !operand.optional).length;
  if (inputs.length < needed || inputs.length > spec.inputs.length)
    throw bad(
      'op-bad-operands',
      spec.name,
      `takes ${spec.inputs.map((operand) => operand.name + (operand.optional ? '?' : '')).join(', ')}; got ${inputs.length} inputs`,
    );
  const dims: Record<string, number> = {};
  checkParams(spec, params as Record<string, unknown>, dims);
  const shapes: { any?: readonly number[] } = {};
  for (let i = 0; i < inputs.length; i++) checkOperand(spec.name, spec.inputs[i]!, inputs[i]!, dims, shapes);
  checkOperand(spec.name, spec.output, output, dims, shapes);
  spec.checkDims?.(dims);
  return dims;
}

/**
 * Checks the values of the I32 operands.
 * @throws QuernError `op-index-out-of-range` naming op, operand and place
 */
export function checkIndices<Name extends OpName>(
  spec: Op<Name>,
  indices: Indices,
  dims: Dims,
  params: OpParams[Name],
): void {
  for (const { name, below } of spec.inputs) {
    if (!below) continue;
    const limit = evaluate(below, dims);
    const values = indices(name);
    for (let i = 0; i < values.length; i++)
      if (values[i]! < 0 || values[i]! >= limit)
        throw bad(
          'op-index-out-of-range',
          spec.name,
          `${name}[${i}] is ${values[i]}, outside 0 … ${limit - 1} (${below})`,
        );
  }
  spec.checkIndices?.(indices, dims, params);
}

function checkParams<Name extends OpName>(
  spec: Op<Name>,
  params: Record<string, unknown>,
  dims: Record<string, number>,
): void {
  const rules: Record<string, ParamRule> = spec.params;
  for (const name in rules) {
    const rule = rules[name]!;
    const value = params[name] ?? (rule.kind === 'integer' && rule.default ? params[rule.default] : undefined);
    const problem = paramProblem(rule, value);
    if (problem) throw bad('op-bad-param', spec.name, `${name} is ${value}, expected ${problem}`);
    if (typeof value === 'number') dims[name] = value;
  }
}

function paramProblem(rule: ParamRule, value: unknown): string | undefined {
  switch (rule.kind) {
    case 'choice':
      if (value === undefined && rule.default !== undefined) return undefined;
      return rule.of.includes(value as string) ? undefined : `one of ${rule.of.join(', ')}`;
    case 'flag':
      return value === undefined || typeof value === 'boolean' ? undefined : 'true or false';
    case 'number': {
      if (value === undefined && rule.optional) return undefined;
      const { min = -Infinity, above = -Infinity } = rule;
      const number = value as number;
      const fits = Number.isFinite(value) && number >= min && number > above;
      return fits ? undefined : `a finite number${rangeText(rule)}`;
    }
    case 'integer': {
      if (value === undefined && rule.optional) return undefined;
      const step = rule.multipleOf ?? 1;
      const { min, max = Infinity } = rule;
      const number = value as number;
      const fits = Number.isSafeInteger(value) && number >= min && number <= max && number % step === 0;
      const range = max === Infinity ? `≥ ${min}` : `in ${min} … ${max}`;
      return fits ? undefined : `an integer ${range}${step > 1 ? `, a multiple of ${step}` : ''}`;
    }
  }
}

const rangeText = ({ min, above }: { min?: number; above?: number }): string =>
  (min === undefined ? '' : ` ≥ ${min}`) + (above === undefined ? '' : ` > ${above}`);

function checkOperand(
  op: string,
  operand: Operand,
  tensor: Tensor,
  dims: Record<string, number>,
  shapes: { any?: readonly number[] },
): void {
  const { name, shape, wholeBlocks } = operand;
  const allowed = typesOf(operand);
  if (allowed && !allowed.includes(tensor.dtype))
    throw bad('op-bad-dtype', op, `${name} is ${tensor.dtype}, expected ${allowed.join(' or ')}`);
  if (shape[0] === '…') {
    if (shapes.any && show(shapes.any) !== show(tensor.shape))
      throw bad(
        'op-bad-shape',
        op,
        `${name} has shape ${show(tensor.shape)}, the operands before it ${show(shapes.any)}`,
      );
    shapes.any = tensor.shape;
    dims.elements = tensor.shape.reduce((product, size) => product * size, 1);
    return;
  }
  const fits =
    shape.length === tensor.shape.length &&
    shape.every((dim, axis) => {
      const size = tensor.shape[axis]!;
      return size === (dims[dim] ?? (isSymbol(dim) ? (dims[dim] = size) : evaluate(dim, dims)));
    });
  if (fits) {
    if (wholeBlocks) checkBlockSize(op, operand, tensor, evaluate(wholeBlocks, dims));
    return;
  }
  const expected = shape.map((dim) =>
    dims[dim] === undefined && isSymbol(dim) ? dim : `${dim}=${evaluate(dim, dims)}`,
  );
  throw bad('op-bad-shape', op, `${name} has shape ${show(tensor.shape)}, expected [${expected.join(', ')}]`);
}

/** The dtypes that an operand may have; undefined for any. */
const typesOf = ({ dtype }: Operand): readonly string[] | undefined =>
  dtype === 'weights' ? undefined : dtype === 'cache' ? cacheTypes : [dtype];

function checkBlockSize(op: string, { name, wholeBlocks }: Operand, { dtype }: Tensor, size: number): void {
  const { blockSize } = dtypeByName(dtype);
  if (size % blockSize)
    throw bad(
      'op-bad-dtype',
      op,
      `${name} is ${dtype}, whose blocks of ${blockSize} do not divide ${wholeBlocks}=${size}`,
    );
}

/** A dimension taken apart: the product of `factors` divided by `divisor`. */
interface ParsedDim {
  readonly factors: readonly string[];
  readonly divisor: number;
}

/** Specs have a few dozen dimensions, calls come by the thousand. */
const parsedDims = new Map<Dim, ParsedDim>();

function parse(dim: Dim): ParsedDim {
  let parsed = parsedDims.get(dim);
  if (!parsed) {
    const [top, bottom = '1'] = dim.split('/');
    parsed = { factors: top!.split('*'), divisor: Number(bottom) };
    parsedDims.set(dim, parsed);
  }
  return parsed;
}

const isSymbol = (dim: Dim) => !dim.includes('*') && !dim.includes('/');

function evaluate(dim: Dim, dims: Dims): number {
  const { factors, divisor } = parse(dim);
  let product = 1;
  for (const name of factors) product *= dims[name]!;
  return product / divisor;
}
