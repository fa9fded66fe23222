// A checked call: what a device needs to run one op.
import { QuernError } from '@quern/errors';
import type { Tensor } from '../device.ts';
import type { Span, TensorTable } from '../memory/tensor-table.ts';
import { checkCall, checkIndices } from './check.ts';
import type { OpName, OpParams } from './index.ts';
import type { Dims, Op } from './op.ts';
import { ops } from './table.ts';

export interface CheckedCall<Storage, Name extends OpName = OpName> {
  readonly spec: Op<Name>;
  readonly dims: Dims;
  readonly params: OpParams[Name];
  readonly inputs: readonly Span<Storage>[];
  readonly output: Span<Storage>;
  /** Dtypes of the inputs. */
  readonly dtypes: readonly string[];
  readonly outputDtype: string;
}

/**
 * Checks operands, overlaps and index values.
 * @param i32 reads the I32 values of a span
 * @throws QuernError `op-unknown`, `op-…`, `tensor-…`
 */
export function prepareCall<Storage, Name extends OpName>(
  table: TensorTable<Storage>,
  name: Name,
  inputs: readonly Tensor[],
  output: Tensor,
  params: OpParams[Name],
  i32: (span: Span<Storage>) => Int32Array,
): CheckedCall<Storage, Name> {
  if (!Object.hasOwn(ops, name)) throw new QuernError('op-unknown', `There is no op called ${name}.`);
  const spec = ops[name] as Op<Name>;
  const spans = inputs.map((tensor, i) => table.span(tensor, `${name}: ${spec.inputs[i]?.name ?? `input ${i}`}`));
  const target = table.span(output, `${name}: ${spec.output.name}`);
  const dims = checkCall(spec, inputs, output, params);
  for (let i = 0; i < spans.length; i++) {
    const operand = spec.inputs[i]!;
    const same = spans[i]!.storage === target.storage && spans[i]!.byteOffset === target.byteOffset;
    if (overlap(spans[i]!, target) && !(same && operand.mayAlias))
      throw new QuernError('op-overlap', `${name}: the output overlaps ${operand.name} in memory.`);
  }
  checkUpdated(spec, spans);
  const place = (operand: string) => spec.inputs.findIndex((input) => input.name === operand);
  checkIndices(spec, (operand) => i32(spans[place(operand)]!), dims, params);
  const dtypes = inputs.map((tensor) => tensor.dtype);
  return { spec, dims, params, inputs: spans, output: target, dtypes, outputDtype: output.dtype };
}

/** What is written in place must be nothing that another operand reads. */
function checkUpdated<Storage, Name extends OpName>(spec: Op<Name>, spans: readonly Span<Storage>[]): void {
  for (const [i, span] of spans.entries()) {
    if (!spec.inputs[i]!.updated) continue;
    const other = spans.findIndex((one, k) => k !== i && overlap(one, span));
    if (other >= 0)
      throw new QuernError(
        'op-overlap',
        `${spec.name}: ${spec.inputs[i]!.name}, which is updated, overlaps ${spec.inputs[other]!.name} in memory.`,
      );
  }
}

const overlap = <Storage>(a: Span<Storage>, b: Span<Storage>): boolean =>
  a.storage === b.storage && a.byteOffset < b.byteOffset + b.byteLength && b.byteOffset < a.byteOffset + a.byteLength;
