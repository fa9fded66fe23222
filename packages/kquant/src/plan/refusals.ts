// What is wrong with a plan before a byte of it is written.
import { hasCodec } from '@quern/blocks';
import { type ErrorPlace, QuernError } from '@quern/errors';
import { fidelityOf, losesCodes } from './fidelity.ts';
import { type Plan, sourceNameOf, type TensorPlan } from './plan.ts';

/**
 * Refuses a plan that cannot be written: a type without an encoder, or one that is garbage without an importance matrix.
 * @throws QuernError `transcode-unsupported`, `refused-imatrix-needed`, `refused-imatrix-lacks` (exit 3), naming the tensor
 */
export function refuseUnwritable(plan: Plan, file: string): void {
  for (const tensor of plan.tensors) {
    const { name, from, via, to } = tensor;
    const place = { file, tensor: name };
    if (tensor.importance === 'needed') throw noImportance(plan, tensor, place);
    const [before = from, missing] = [via, [from, via, to].find((type) => type && type !== to && !hasCodec(type))];
    if (before === to || (!missing && hasCodec(to))) continue;
    const what = missing ? `Weights stored as ${missing.name} cannot be read` : `${to.name} cannot be written`;
    throw new QuernError('transcode-unsupported', `${what} yet.`, { ...place, remedy: 'Choose another --type.' });
  }
}

function noImportance({ imatrix, totals }: Plan, tensor: TensorPlan, place: ErrorPlace): QuernError {
  if (imatrix === undefined) {
    return new QuernError('refused-imatrix-needed', `${tensor.to.name} is garbage without an importance matrix.`, {
      ...place,
      remedy: 'Give one with --imatrix FILE, or --imatrix auto to measure it first.',
    });
  }
  const others = totals.importance.needed - 1;
  const more = others === 0 ? '' : `, and about ${others} more that need it`;
  const name = sourceNameOf(tensor);
  return new QuernError(
    'refused-imatrix-lacks',
    `The importance matrix ${imatrix} has nothing about ${name}${more}; ${tensor.to.name} is garbage without it.`,
    {
      ...place,
      remedy: `Collect it again with more text, or give the tensor another type: --tensor-type ${name}=q4_K.`,
    },
  );
}

/**
 * For `--strict`: a plan in which a tensor falls back to another type, is unknown to the importance matrix, or loses the
 * codes that the input packed it in.
 * @throws QuernError `refused-fallback`, `refused-no-importance`, `refused-inexact` (exit 3) naming the first
 */
export function refuseCompromises(plan: Plan, file: string): void {
  refuseFallbacks(plan, file);
  refuseInexact(plan, file);
  const first = plan.tensors.find((tensor) => tensor.importance === 'missing');
  if (!first) return;
  throw new QuernError(
    'refused-no-importance',
    `The importance matrix has nothing about ${plan.totals.importance.missing} of ${plan.tensors.length} tensors.`,
    { file, tensor: sourceNameOf(first), remedy: 'Measure it on more text, or drop --strict.' },
  );
}

function refuseInexact(plan: Plan, file: string): void {
  const inexact = plan.tensors.filter(losesCodes);
  const [first] = inexact;
  if (!first) return;
  throw new QuernError(
    'refused-inexact',
    `${inexact.length} of ${plan.tensors.length} tensors cannot keep their values; the first, ` +
      `${first.packed!.format} to ${first.to.name}: ${fidelityOf(first)}.`,
    { file, tensor: first.name, remedy: 'Use --type auto or f32, or drop --strict.' },
  );
}

function refuseFallbacks(plan: Plan, file: string): void {
  const fallbacks = plan.tensors.filter((tensor) => tensor.fallback);
  if (fallbacks.length === 0) return;
  const [first] = fallbacks;
  throw new QuernError(
    'refused-fallback',
    `${fallbacks.length} of ${plan.tensors.length} tensors cannot have the type that ${plan.fileType} gives them; the first: ` +
      `${first!.fallback!.wanted} becomes ${first!.to.name}, because ${first!.fallback!.reason}.`,
    { file, tensor: first!.name, remedy: 'Choose a type with blocks of 32 (Q8_0), or drop --strict.' },
  );
}
