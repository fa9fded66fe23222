// Rope settings of GGUF metadata as config.json has them: the reverse of ../lens/rope-parameters.ts. They are written in
// both ways, `rope_parameters` (transformers 5) and `rope_theta` beside `rope_scaling` (before).
import type { ModelView, TensorView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import type { Architecture } from '../arch/architecture.ts';
import { sizesOf } from '../arch/dimensions.ts';
import type { ModelNumbers } from '../arch/model-numbers.ts';
import { partOf } from '../arch/rotary-part.ts';
import { llama3RopeFactors } from '../lens/rope-freqs.ts';
import type { Llama3Rope } from '../lens/rope-parameters.ts';
import { yarnKeys } from '../lens/rope-parameters.ts';
import { type MetadataReader, metadataReader } from '../metadata-reader.ts';
import { shortestFloat } from './shortest-float.ts';

type Json = Record<string, unknown>;

/** @throws QuernError `unsupported-rope`, and those of reading metadata */
export async function ropeConfig(view: ModelView, architecture: Architecture, numbers: ModelNumbers): Promise<Json> {
  if (!architecture.rope) return {};
  const read = metadataReader(view, `${architecture.name}.`);
  const theta = shortestFloat(read.optionalNumber('rope.freq_base', 10000, 1, 1e12));
  const { ropePairs = 0 } = sizesOf(architecture, numbers);
  const found = (await factorScaling(view, read, 2 * ropePairs, theta)) ?? plainScaling(read, numbers, architecture);
  const scaling = found && { ...found, ...architecture.rope.more?.(numbers) };
  const sections = sectionsOf(architecture, numbers);
  const full = { rope_theta: theta, ...sections, ...(scaling ?? { rope_type: 'default' }) };
  const { window } = architecture.rope;
  const windowTheta = window && numbers.at('rope.freq_base_swa');
  const windowRope = windowTheta !== undefined && { rope_theta: shortestFloat(windowTheta), rope_type: 'default' };
  if (window?.byKind) {
    const parts = ['rope.dimension_count', 'rope.dimension_count_swa'].map((key) => partAt(numbers, key));
    const rest = windowRope && { sliding_attention: { ...windowRope, ...parts[1] } };
    return { rope_parameters: { full_attention: { ...full, ...parts[0] }, ...rest } };
  }
  if (!windowRope) return { rope_parameters: full, rope_scaling: scaling ?? null, rope_theta: theta };
  return { rope_parameters: { full_attention: full, sliding_attention: windowRope } };
}

/** The part of each head that turns; of window layers that of the others, unless they have their own. */
function partAt(numbers: ModelNumbers, key: string): Json {
  const [dims, headDim] = [numbers.at(key) ?? numbers.at('rope.dimension_count'), numbers.at('attention.key_length')];
  return dims === undefined || headDim === undefined ? {} : { partial_rotary_factor: partOf(dims, headDim) };
}

function sectionsOf({ rope }: Architecture, numbers: ModelNumbers): Json {
  const sections = rope?.sections && numbers.has('rope.dimension_sections') && numbers.list('rope.dimension_sections');
  return sections ? { mrope_section: sections.slice(0, 3) } : {};
}

function plainScaling(read: MetadataReader, numbers: ModelNumbers, { rope }: Architecture): Json | undefined {
  // `rope.scale_linear` is the key of files from before `rope.scaling.*`.
  const old = numbers.at('rope.scale_linear') || 1;
  const factor = read.optionalNumber('rope.scaling.factor', old, 0, 1e6) || 1;
  const type = read.optionalString('rope.scaling.type') ?? (factor === 1 ? 'none' : 'linear');
  if (type === 'none') return undefined;
  const scaling: Json = { rope_type: type, factor: shortestFloat(factor) };
  if (type === 'linear') return scaling;
  scaling.original_max_position_embeddings = read.optionalInteger(
    'rope.scaling.original_context_length',
    numbers.at('context_length') ?? 0,
    1,
    1 << 30,
  );
  for (const { gguf, hf } of yarnKeys) {
    if (read.has(gguf)) scaling[hf] = shortestFloat(read.number(gguf, -1e6, 1e6));
  }
  const rounds = numbers.has('rope.scaling.yarn_truncate')
    ? numbers.isTrue('rope.scaling.yarn_truncate')
    : rope?.truncate !== false;
  if (!rounds) scaling.truncate = false;
  return scaling;
}

/** The kinds of scaling that GGUF keeps as a divisor for each pair. */
async function factorScaling(
  view: ModelView,
  read: MetadataReader,
  headDim: number,
  theta: number,
): Promise<Json | undefined> {
  const [short, long] = ['short', 'long'].map((which) => view.tensors.get(`rope_factors_${which}.weight`));
  if (short && long) {
    return {
      rope_type: 'longrope',
      short_factor: (await valuesOf(short)).map(shortestFloat),
      long_factor: (await valuesOf(long)).map(shortestFloat),
    };
  }
  const tensor = view.tensors.get('rope_freqs.weight');
  if (!tensor) return undefined;
  const refuse = (why: string): never => {
    throw new QuernError('unsupported-rope', `The rope factors ${why}.`, {
      file: view.path,
      tensor: tensor.name,
      remedy: 'Config.json has no place for factors; take it from the original checkpoint.',
    });
  };
  const scalingType = read.optionalString('rope.scaling.type') ?? 'none';
  if (scalingType !== 'none') refuse(`stand beside rope scaling "${scalingType}"`);
  if (tensor.dtype.name !== 'F32') refuse(`are stored as ${tensor.dtype.name}`);
  const factors = await valuesOf(tensor);
  return (
    proportional(factors) ??
    llama3Scaling(factors, theta, headDim) ??
    refuse("do not follow from Llama 3's formula with any known settings")
  );
}

async function valuesOf(tensor: TensorView): Promise<number[]> {
  const bytes = new Uint8Array(tensor.rowBytes * tensor.rows);
  await tensor.readRows(0, tensor.rows, bytes);
  const data = new DataView(bytes.buffer);
  return Array.from({ length: tensor.cols }, (_, i) => data.getFloat32(4 * i, true));
}

/** The first pairs turn as usual, the others not at all. */
function proportional(factors: readonly number[]): Json | undefined {
  const turning = factors.findIndex((factor) => factor !== 1);
  if (turning < 0 || factors.slice(turning).some((factor) => factor < 1e29)) return undefined;
  return { rope_type: 'proportional', partial_rotary_factor: turning / factors.length };
}

/** The converter's power function differs in the last bits from one CPU to another. */
const roundingError = 4 * 2 ** -23;

/**
 * GGUF stores Llama 3's factors, one for each pair, and not what they were computed from. Settings that give these
 * factors are looked for among those that models have; different settings with equal factors mean the same.
 */
function llama3Scaling(factors: readonly number[], theta: number, headDim: number): Json | undefined {
  for (const rope of candidates(Math.max(...factors))) {
    const computed = llama3RopeFactors(rope, theta, headDim);
    if (!factors.every((factor, i) => Math.abs(factor - computed[i]!) <= roundingError * factor)) continue;
    return {
      rope_type: 'llama3',
      factor: rope.factor,
      low_freq_factor: rope.lowFreqFactor,
      high_freq_factor: rope.highFreqFactor,
      original_max_position_embeddings: rope.originalContext,
    };
  }
  return undefined;
}

/** Llama 3.1's settings first. The largest factor is the setting, unless no pair is as slow as that. */
function* candidates(largest: number): Generator<Llama3Rope> {
  const contexts = [8192, ...Array.from({ length: 16 }, (_, i) => 2 ** (i + 5))];
  const factors = [largest, 8, 32, 2, 4, 16, 64];
  for (const factor of factors) {
    for (const highFreqFactor of [4, 2, 8, 16, 32]) {
      for (const originalContext of contexts) yield { factor, lowFreqFactor: 1, highFreqFactor, originalContext };
    }
  }
}
