// Which type every tensor of a quantized file gets: what llama-quantize would decide for the same input.
import { type DType, dtypeByName } from '@quern/blocks';
import { QuernError } from '@quern/errors';
import type { GgufMetadata } from '@quern/gguf';
import { type MetadataOverride, setMetadata } from '@quern/models';
import { ggufTokenizerMetadata } from '@quern/tokenizer';
import { fallbackFrom, typeForRows } from './fallback.ts';
import { type FileType, fileTypeNamed } from './file-types.ts';
import { importanceFor, type PlannedImatrix } from './importance.ts';
import { keepsTypeBecause } from './keeps-type.ts';
import { mixtureChoice } from './mixture.ts';
import { type ModelFacts, modelFacts } from './model-facts.ts';
import { originOf } from './packed-source.ts';
import { completePlan, type Plan, type PlannedTensor, type TensorPlan } from './plan.ts';
import { pruneLayers } from './prune-layers.ts';
import { fileTypeId, quantizedMetadata } from './quantized-metadata.ts';
import { compareTensorNames, layerOf, type TensorGroup, tensorGroup } from './tensor-group.ts';
import type { TensorTypeRule } from './tensor-types.ts';

export interface PlanOptions {
  /** Quantize tensors that are already quantized to something else: it loses twice, so it must be asked for. */
  allowRequantize?: boolean;
  /**
   * The input is no GGUF yet: plan as if this conversion of it had been written first (`planConversion`). The bytes
   * are those of the two steps.
   */
  converted?: Plan;
  imatrix?: PlannedImatrix;
  /** No mixture: every tensor gets the base type. */
  pure?: boolean;
  /** Types by name; the first that fits decides. Each must fit some tensor. */
  tensorTypes?: readonly TensorTypeRule[];
  tokenEmbeddingType?: DType;
  outputTensorType?: DType;
  /** output.weight keeps its type. */
  leaveOutputTensor?: boolean;
  /** Layers to leave out. */
  pruneLayers?: readonly number[];
  overrides?: readonly MetadataOverride[];
  /** Tensors stay in the order of the input, so that the files of a split model can stay apart (`splitPlan`). */
  keepOrder?: boolean;
}

/** What is planned over: any `ModelView`. */
export interface PlanInput {
  readonly path: string;
  readonly metadata: GgufMetadata;
  readonly tensors: ReadonlyMap<string, PlannedTensor>;
}

/**
 * @param fileType name or alias of a row of `fileTypes`, in any case.
 * @throws QuernError `usage-unknown-type`, `usage-tensor-type`, `usage-prune-layers`, `refused-requantize`,
 *   `tensor-without-layer`, `no-smaller-blocks`, `metadata-missing`
 */
export function planTypes(view: PlanInput, fileType: string, options: PlanOptions = {}): Plan {
  const { imatrix } = options;
  const row = fileTypeNamed(fileType);
  const converted = new Map(options.converted?.tensors.map((tensor) => [tensor.name, tensor]));
  const before = options.converted?.metadata ?? ggufTokenizerMetadata(view.metadata);
  const metadata: GgufMetadata = new Map(before);
  setMetadata(metadata, options.overrides ?? []);
  const facts = modelFacts(metadata, view.path);

  const { tensors: ordered, layers } = orderedTensors(view, options);
  const choose = typeChooser(row, facts, ordered, options);
  const tensors = ordered.map((tensor): Omit<TensorPlan, 'bytes'> => {
    const { name, shape, rows, cols, dtype, sourceName } = tensor;
    const inputName = sourceName ?? name;
    // Rounding the values of packed weights on the way would lose some of what their codes say.
    const stored = (tensor.packed && !row.copies ? undefined : converted.get(inputName)?.to) ?? dtype;
    const choice = choose(tensor, stored);
    const { from, packed } = originOf(tensor, choice.to);
    checkConvertible(view.path, name, stored, choice.to, options.allowRequantize ?? false);
    const via = packed || stored === from || stored === choice.to ? undefined : stored;
    const entry = imatrix?.entries.has(inputName) ?? false;
    const importance =
      stored === choice.to || packed?.codes
        ? undefined
        : importanceFor(name, choice.to, row, entry, imatrix !== undefined);
    return {
      ...{ name, shape, rows, cols, from, ...(packed && { packed }) },
      ...{ ...(sourceName && { sourceName }), ...(via && { via }) },
      ...choice,
      ...(importance && { importance }),
    };
  });
  refuseUnusedRules(view.path, ordered, options.tensorTypes ?? []);
  const fileTypeNumber = fileTypeId(
    row,
    metadata,
    tensors.map(({ to }) => to),
  );
  const changes = { overrides: options.overrides, imatrix, layers, fileType: fileTypeNumber };
  const quantized = quantizedMetadata(before, facts.architecture, changes);
  const plan = completePlan(row.name, quantized, tensors, notesOn(row, quantized, facts, options));
  return imatrix ? { ...plan, imatrix: imatrix.path } : plan;
}

/** What llama-quantize passes over in silence. */
function notesOn(row: FileType, metadata: GgufMetadata, facts: ModelFacts, options: PlanOptions): string[] {
  const notes: string[] = [];
  if (row.madeFor)
    notes.push(`${row.name} is for models that were trained with ${row.madeFor}; any other model is ruined by it.`);
  if (options.tensorTypes?.length && dtypeByName(row.base).blockSize === 1)
    notes.push(`Types given by name are ignored by ${row.name}, as llama-quantize does.`);
  if (options.pruneLayers?.length) {
    const perLayer = [...metadata].filter(
      ([key, { value }]) =>
        key.startsWith(`${facts.architecture}.`) && Array.isArray(value) && value.length === facts.layers,
    );
    for (const [key] of perLayer) notes.push(`${key} still has a value for each of the ${facts.layers} layers.`);
  }
  return notes;
}

type OrderedTensor = PlannedTensor & { readonly sourceName?: string };

function orderedTensors(view: PlanInput, options: PlanOptions): { tensors: readonly OrderedTensor[]; layers?: number } {
  const sorted = [...view.tensors.values()].sort((a, b) => compareTensorNames(a.name, b.name));
  const pruned = options.pruneLayers?.length
    ? pruneLayers(sorted, options.pruneLayers, view.path)
    : { tensors: sorted };
  if (!options.keepOrder) return pruned;
  const places = new Map([...view.tensors.keys()].map((name, place) => [name, place]));
  const placeOf = ({ name, sourceName }: OrderedTensor): number => places.get(sourceName ?? name)!;
  return { ...pruned, tensors: [...pruned.tensors].sort((a, b) => placeOf(a) - placeOf(b)) };
}

type Choice = Pick<TensorPlan, 'to' | 'rule' | 'fallback'>;

/** Decides tensor by tensor, in order: the counters of the mixture rules advance with every call. */
function typeChooser(row: FileType, model: ModelFacts, tensors: readonly OrderedTensor[], options: PlanOptions) {
  const { imatrix, pure, tensorTypes = [], tokenEmbeddingType, outputTensorType } = options;
  const groups = tensors.map((tensor) => tensorGroup(tensor.name));
  const tied = !groups.includes('output');
  const attnV = groups.filter((group) => group === 'attn_v').length;
  const counters = new Map<TensorGroup, number>();
  const base = dtypeByName(row.base);

  const placeOf = ({ name, shape }: OrderedTensor, group: TensorGroup) => {
    const counted = counters.get(group) ?? 0;
    counters.set(group, counted + 1);
    // The layers of experts do not come in order, so the name is asked.
    const byName = model.experts > 1 && !row.ownExpertRules && group.startsWith('ffn_');
    const n = group === 'attn_v' ? attnV : model.layers;
    const i = byName ? layerOf(name) : counted;
    if (byName && (i < 0 || i >= n)) throw withoutLayer(name, n);
    return { group, i, n, counted, matrices: shape.at(-3) ?? 1, model, imatrix: imatrix !== undefined };
  };

  const byMixture = (tensor: OrderedTensor, group: TensorGroup, isOutput: boolean): Choice => {
    const { cols } = tensor;
    const wholeBlocks = cols % base.blockSize === 0;
    const { type, rule, wanted } = mixtureChoice(row, placeOf(tensor, group), { isOutput, wholeBlocks });
    const chosen = typeForRows(dtypeByName(type), cols);
    const fallback = wanted && wanted !== type ? fallbackFrom(dtypeByName(wanted), cols) : chosen.fallback;
    return { to: chosen.to, rule, ...(fallback && { fallback }) };
  };
  /** What a draft block guesses wrong costs the time of a token, and it is small: it gets more than llama-quantize gives it. */
  const atLeast = (least: DType, choice: Choice, tensor: OrderedTensor): Choice => {
    const isDraft = layerOf(tensor.sourceName ?? tensor.name) >= model.layers - model.draftLayers;
    return isDraft && bitsOf(choice.to) < bitsOf(least) ? given(least, tensor, `draft block: ${least.name}`) : choice;
  };
  const given = (to: DType, { cols }: OrderedTensor, rule: string): Choice => ({ ...typeForRows(to, cols), rule });

  return (tensor: OrderedTensor, stored: DType): Choice => {
    const { name, shape } = tensor;
    if (row.copies) return { to: stored, rule: 'copied' };
    const kept = keepsTypeBecause(name, shape);
    if (kept) return { to: stored, rule: `kept: ${kept}` };
    if (options.leaveOutputTensor && name === 'output.weight') return { to: stored, rule: 'kept: as asked' };
    const group = tensorGroup(name);
    const typeRule = tensorTypes.find(({ pattern }) => pattern.test(name));
    // The second table of Gemma is large and has a name of its own, so it may be named against the general rule.
    const named = typeRule !== undefined && name === 'per_layer_token_embd.weight';
    if (tokenEmbeddingType && group === 'token_embd' && !named) return given(tokenEmbeddingType, tensor, 'as asked');
    if (outputTensorType && group === 'output') return given(outputTensorType, tensor, 'as asked');
    if (base.blockSize === 1) return { to: base, rule: row.name };
    if (typeRule) return given(typeRule.to, tensor, `as asked: ${typeRule.text}`);
    if (pure) return given(base, tensor, `${row.name}, pure`);
    const isOutput = group === 'output' || (tied && group === 'token_embd');
    if (isOutput && outputTensorType) return given(outputTensorType, tensor, 'as asked');
    return atLeast(dtypeByName('Q5_K'), byMixture(tensor, group, isOutput), tensor);
  };
}

const bitsOf = ({ typeSize, blockSize }: DType): number => (8 * typeSize) / blockSize;

const withoutLayer = (tensor: string, layers: number): QuernError =>
  new QuernError('tensor-without-layer', `The mixture of experts needs its layer, blk.0 to blk.${layers - 1}.`, {
    tensor,
    remedy: 'Choose a type without a mixture, or add --pure.',
  });

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

/** A pattern with a mistake in it would else pass in silence. */
function refuseUnusedRules(file: string, tensors: readonly PlannedTensor[], rules: readonly TensorTypeRule[]): void {
  for (const { text, pattern } of rules) {
    if (tensors.some(({ name }) => pattern.test(name))) continue;
    throw new QuernError('usage-tensor-type', `'${text}' fits no tensor of the model.`, {
      file,
      remedy: 'quern inspect --tensors lists their names.',
    });
  }
}
