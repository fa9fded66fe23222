// Which type every tensor of a quantized file gets: what llama-quantize would decide for the same input.
import { type DType, dtypeByName } from '@quern/blocks';
import { QuernError } from '@quern/errors';
import type { GgufMetadata } from '@quern/gguf';
import { fallbackFrom, typeForRows } from './fallback.ts';
import { type FileType, fileTypeNamed } from './file-types.ts';
import { keepsTypeBecause } from './keeps-type.ts';
import { mixtureChoice } from './mixture.ts';
import { type ModelFacts, modelFacts } from './model-facts.ts';
import { completePlan, type Plan, type PlannedTensor, type TensorPlan } from './plan.ts';
import { compareTensorNames, layerOf, type TensorGroup, tensorGroup } from './tensor-group.ts';

export interface PlanOptions {
  /** Quantize tensors that are already quantized to something else: it loses twice, so it must be asked for. */
  allowRequantize?: boolean;
  /**
   * The input is no GGUF yet: plan as if this conversion of it had been written first (`planConversion`). The bytes
   * are those of the two steps.
   */
  converted?: Plan;
}

/** What is planned over: any `ModelView`. */
export interface PlanInput {
  readonly path: string;
  readonly metadata: GgufMetadata;
  readonly tensors: ReadonlyMap<string, PlannedTensor>;
}

/**
 * @param fileType name of a row of `fileTypes`, in any case.
 * @throws QuernError `usage-unknown-type`, `refused-requantize`, `dtype-not-convertible`, `metadata-missing`
 */
export function planTypes(view: PlanInput, fileType: string, options: PlanOptions = {}): Plan {
  const row = fileTypeNamed(fileType);
  const converted = new Map(options.converted?.tensors.map((tensor) => [tensor.name, tensor]));
  const storedAs = (tensor: PlannedTensor): DType => converted.get(tensor.name)?.to ?? tensor.dtype;
  const metadata = options.converted?.metadata ?? view.metadata;

  const ordered = [...view.tensors.values()].sort((a, b) => compareTensorNames(a.name, b.name));
  const choose = typeChooser(row, modelFacts(metadata, view.path), ordered);
  const tensors = ordered.map((tensor): Omit<TensorPlan, 'bytes'> => {
    const { name, shape, rows, cols, dtype: from } = tensor;
    const stored = storedAs(tensor);
    const choice = choose(tensor, stored);
    checkConvertible(view.path, name, stored, choice.to, options.allowRequantize ?? false);
    const via = stored === from || stored === choice.to ? undefined : stored;
    return { name, shape, rows, cols, from, ...(via && { via }), ...choice };
  });
  return completePlan(row.name, quantizedMetadata(metadata, row), tensors);
}

/** Decides tensor by tensor, in file order: the counters of the mixture rules advance with every call. */
function typeChooser(row: FileType, model: ModelFacts, tensors: readonly PlannedTensor[]) {
  const groups = tensors.map((tensor) => tensorGroup(tensor.name));
  const tied = !groups.includes('output');
  const attnV = groups.filter((group) => group === 'attn_v').length;
  const counters = new Map<TensorGroup, number>();
  const base = dtypeByName(row.base);

  const placeOf = (name: string, group: TensorGroup) => {
    const counted = counters.get(group) ?? 0;
    counters.set(group, counted + 1);
    // The layers of experts do not come in order, so the name is asked.
    const byName = model.experts > 1 && group.startsWith('ffn_');
    return { i: byName ? layerOf(name) : counted, n: group === 'attn_v' ? attnV : model.layers, model };
  };

  return ({ name, shape, cols }: PlannedTensor, stored: DType): Pick<TensorPlan, 'to' | 'rule' | 'fallback'> => {
    const kept = keepsTypeBecause(name, shape);
    if (kept) return { to: stored, rule: `kept: ${kept}` };
    if (base.blockSize === 1) return { to: base, rule: row.name };
    const group = tensorGroup(name);
    const isOutput = group === 'output' || (tied && group === 'token_embd');
    const wholeBlocks = cols % base.blockSize === 0;
    const { type, rule, wanted } = mixtureChoice(row, group, placeOf(name, group), { isOutput, wholeBlocks });
    const chosen = typeForRows(dtypeByName(type), cols);
    const fallback = wanted && wanted !== type ? fallbackFrom(dtypeByName(wanted), cols) : chosen.fallback;
    return { to: chosen.to, rule, ...(fallback && { fallback }) };
  };
}

function checkConvertible(file: string, tensor: string, from: DType, to: DType, allowRequantize: boolean): void {
  if (from === to) return;
  if (from.blockSize > 1 && !allowRequantize) {
    throw new QuernError(
      'refused-requantize',
      `The input is already quantized: ${from.name} would become ${to.name}.`,
      {
        file,
        tensor,
        remedy: 'Start from an F16, BF16 or F32 file, or accept the loss with --allow-requantize.',
      },
    );
  }
}

/**
 * All keys of the input, then the two that quantizing sets, at the end; the keys of split files are dropped
 * (llama-quant.cpp `llama_model_quantize_impl`).
 */
function quantizedMetadata(metadata: GgufMetadata, row: FileType): GgufMetadata {
  const result: GgufMetadata = new Map(metadata);
  for (const key of ['split.no', 'split.count', 'split.tensors.count']) result.delete(key);
  for (const [key, value] of [
    ['general.quantization_version', quantizationVersion],
    ['general.file_type', row.id],
  ] as const) {
    result.delete(key);
    result.set(key, { type: 'uint32', value });
  }
  return result;
}

/** `GGML_QNT_VERSION`. */
const quantizationVersion = 2;
