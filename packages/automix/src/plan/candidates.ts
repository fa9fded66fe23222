// The types that each tensor may get, as plans of kquant make them: fallbacks of odd rows, importance, bytes and all.
import { QuernError } from '@quern/errors';
import {
  ggmlType,
  keepsTypeBecause,
  type Plan,
  type PlanInput,
  type PlanOptions,
  planTypes,
  refuseUnwritable,
  type TensorPlan,
} from '@quern/kquant';

/** Types that do without an importance matrix. */
const usual = ['Q2_K', 'Q3_K', 'IQ4_XS', 'Q4_K', 'IQ4_NL', 'Q5_K', 'Q6_K', 'Q8_0'] as const;
/** Blocks of 32, for rows that no K type can have. */
const ofBlocks32 = ['Q4_0', 'Q4_1', 'Q5_0', 'Q5_1'] as const;
/** Worth their bits only with an importance matrix. */
const withImportance = ['IQ2_XXS', 'IQ2_XS', 'IQ2_S', 'IQ3_XXS', 'IQ3_S'] as const;

/** A tensor that may be quantized, and what it may become. */
export interface Quantizable {
  readonly name: string;
  /** Block of the network; undefined: what embeds the tokens. Behind the last block: the output. */
  readonly block?: number;
  /** In rising order of bytes; the last keeps the type of the unquantized model. */
  readonly candidates: readonly TensorPlan[];
}

/** A file type that only carries the metadata: every tensor gets its type by name. */
const carrier = 'Q8_0';

/**
 * @param types names that take the place of the usual ones
 * @throws QuernError `automix-nothing-to-choose`, `usage-ggml-type`, those of `planTypes`; of types that were asked for
 *   also `refused-imatrix-needed`, `transcode-unsupported`
 */
export function quantizables(view: PlanInput, options: PlanOptions, types?: readonly string[]): Quantizable[] {
  const names = types ?? [...usual, ...(options.imatrix ? withImportance : [])];
  const plans = [...names, ...(types ? [] : ofBlocks32)].map((name) =>
    planTypes(view, carrier, {
      ...options,
      tensorTypes: [{ text: `auto mixture: ${name}`, pattern: /./, to: ggmlType(name) }],
    }),
  );
  if (types) for (const plan of plans) refuseUseless(plan, view.path);
  const copies = planTypes(view, 'COPY', options);
  const oddOnly = (plan: number): boolean => plan >= names.length;
  const blocks = blockCountOf(copies.tensors.map(({ name }) => name));
  const found = copies.tensors.flatMap((copy, t): Quantizable[] => {
    if (keepsTypeBecause(copy.name, copy.shape)) return [];
    const byType = new Map<string, TensorPlan>();
    for (const [p, { tensors }] of plans.entries()) {
      const plan = tensors[t]!;
      if (plan.importance === 'needed' || plan.bytes >= copy.bytes) continue;
      if (oddOnly(p) && plan.cols % 256 === 0) continue;
      // The same type may be asked for and be a fallback: the first is the plain one, or all are fallbacks.
      const { fallback: _, ...plain } = plan;
      if (!byType.has(plan.to.name)) byType.set(plan.to.name, plain);
    }
    const candidates = [...byType.values()].sort((a, b) => a.bytes - b.bytes);
    const block = blockOf(copy.name, blocks);
    return [{ name: copy.name, ...(block !== undefined && { block }), candidates: [...candidates, copy] }];
  });
  if (found.some(({ candidates }) => candidates.length > 1)) return found;
  throw new QuernError('automix-nothing-to-choose', 'No tensor of the model can become smaller.', { file: view.path });
}

/** A type that no tensor can have, or not without an importance matrix, was asked for by mistake. */
function refuseUseless(plan: Plan, file: string): void {
  const changed = plan.tensors.filter(({ name, shape }) => !keepsTypeBecause(name, shape));
  const usable = changed.filter(({ importance }) => importance !== 'needed');
  refuseUnwritable({ ...plan, tensors: usable.length > 0 ? usable : changed }, file);
}

const blockPattern = /^blk\.(\d+)\./;

const blockCountOf = (names: readonly string[]): number =>
  1 + Math.max(-1, ...names.map((name) => Number(blockPattern.exec(name)?.[1] ?? -1)));

function blockOf(name: string, blocks: number): number | undefined {
  const found = blockPattern.exec(name);
  if (found) return Number(found[1]);
  return name === 'output.weight' ? blocks : undefined;
}
