// A PEFT folder as an adapter for a model: names, parts and orders of rows as the lens has them.
import { type AdapterFolder, type ModelView, openAdapterFolder, type TensorView } from '@quern/checkpoint';
import { nearest, QuernError } from '@quern/errors';
import { type ExpectedTensor, expectedTensors } from '../arch/expected-tensors.ts';
import { modelNumbers } from '../arch/model-numbers.ts';
import type { HfModelView } from '../lens/hf-model-view.ts';
import { coreOf } from '../lens/tensor-names.ts';
import { exportedArchitecture } from '../to-huggingface/choose-architecture.ts';
import { checkCopy } from './base-copies.ts';
import { checkShapes, placeOf, weightOf } from './check-pair.ts';
import { inConverterOrder } from './converter-order.ts';
import { embeddingName, type LoraAdapter, type LoraPair } from './lora.ts';
import { lensedPair } from './pair-lens.ts';
import { type PeftScales, readPeftConfig } from './peft-config.ts';
import { copiesOf, type ModulePair, modulePairs } from './peft-tensors.ts';

export interface PeftAdapter extends LoraAdapter {
  readonly folder: AdapterFolder;
  /** `lora_alpha` */
  readonly alpha: number;
  /** In the order of the modules' names in the file. */
  readonly pairs: ReadonlyMap<string, LoraPair>;
}

/**
 * @param base the model that it is for
 * @throws QuernError `adapter-*`, naming the tensor that could not be applied, and those of `openAdapterFolder`
 */
export async function openPeftAdapter(path: string, base: AdapterBase): Promise<PeftAdapter> {
  const folder = await openAdapterFolder(path);
  try {
    const scales = readPeftConfig(folder.config, folder.configFile);
    const expected = base.expected ?? expectedOfGguf(base);
    const pairs = pairsFor(base, expected, modulePairs(folder), scales);
    for (const [name, copy] of copiesOf(folder)) await checkCopy(copy, copiedWeight(base, expected, name, copy));
    return { path, folder, alpha: scales.alpha, pairs, close: () => folder.close() };
  } catch (error) {
    await folder.close();
    throw error;
  }
}

/** A model, with what its lens knows where it is a checkpoint. */
export type AdapterBase = ModelView & Partial<Pick<HfModelView, 'expected'>>;

function expectedOfGguf(base: ModelView): ExpectedTensor[] {
  const embedding = base.tensors.get(embeddingName);
  if (!embedding)
    throw new QuernError('tensor-missing', 'The model has no embedding.', { file: base.path, tensor: embeddingName });
  const architecture = exportedArchitecture(base);
  return expectedTensors(architecture, modelNumbers(base, architecture.name, embedding.rows));
}

/** Of those that GGUF has as they are: the embedding and the output matrix. @throws QuernError `adapter-tensor-unexpected` */
function copiedWeight(
  base: ModelView,
  expected: readonly ExpectedTensor[],
  name: string,
  copy: TensorView,
): TensorView {
  const entry = expected.find(
    ({ block, sources }) => block === undefined && sources.some((of) => coreOf(of.name) === name),
  );
  const weight = entry && base.tensors.get(entry.gguf);
  if (weight) return weight;
  throw new QuernError('adapter-tensor-unexpected', 'The tensor is no half of a pair: it would not be applied.', {
    ...placeOf(copy),
    remedy: 'Merge the adapter with PEFT (merge_and_unload, save_pretrained), and give the merged model.',
  });
}

function pairsFor(
  base: AdapterBase,
  expected: readonly ExpectedTensor[],
  modules: ReadonlyMap<string, ModulePair>,
  scales: PeftScales,
): Map<string, LoraPair> {
  const found = expected.flatMap((entry) => lensedPair(entry, modules, { ofGguf: base.expected === undefined }) ?? []);
  const used = new Set(found.flatMap((pair) => pair.modules));
  const unused = [...modules.values()].find((pair) => !used.has(pair));
  if (unused) {
    const names = expected.flatMap(({ sources }) => sources.map(({ name }) => name));
    throw new QuernError('adapter-no-weight', `The model has no ${unused.module}${hint(unused.module, names)}.`, {
      ...placeOf(unused.a),
      remedy: 'Give the model that the adapter was made for.',
    });
  }
  return new Map(
    inConverterOrder(found, modules).map(({ entry: { gguf: weight }, modules: of, a, b }) => {
      const rank = checkShapes(weight, weightOf(base, weight, a).shape, { a, b });
      return [weight, { weight, a, b, rank, factor: factorOf(of, rank, scales) }];
    }),
  );
}

function hint(module: string, names: readonly string[]): string {
  const [near] = nearest(`${module}.weight`, names);
  return near === undefined ? '' : `; near it is ${near.replace(/\.weight$/, '')}`;
}

/** @throws QuernError `adapter-bad-rank`, `adapter-unsupported` */
function factorOf(modules: readonly ModulePair[], rank: number, { rankOf, factorOf: of }: PeftScales): number {
  for (const { module, b } of modules) {
    const said = rankOf(module);
    if (said !== undefined && said !== rank)
      throw new QuernError(
        'adapter-bad-rank',
        `adapter_config.json says rank ${said} for ${module}; the tensor has ${rank}.`,
        placeOf(b),
      );
  }
  const factor = of(modules[0]!.module, rank);
  const other = modules.find(({ module }) => of(module, rank) !== factor);
  if (other)
    throw new QuernError(
      'adapter-unsupported',
      `Experts of one stack have different alphas (${other.module}).`,
      placeOf(other.b),
    );
  return factor;
}
