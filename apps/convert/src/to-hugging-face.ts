// quern convert --to hf: a checkpoint folder of plain numbers, from a GGUF file or from a folder of any kind of weights.

import { createHash } from 'node:crypto';
import { type Located, openGgufModel, openHfCheckpoint } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import { parseShardSize, planPlainCheckpoint, requireOutputFolder, writePlainCheckpoint } from '@quern/hf-writer';
import {
  checkpointName,
  conversionType,
  type QuantizeFlagValues,
  quantizeFlagsGiven,
  sourceIdentity,
  type WriteFlagValues,
} from '@quern/kquant';
import {
  type CheckpointType,
  guessCheckpointType,
  type HuggingFaceModel,
  huggingFaceOf,
  plainCheckpointOf,
} from '@quern/models';
import { outputFolder } from '@quern/source';
import {
  type CommandContext,
  createProgress,
  parseCount,
  printJson,
  printLine,
  printNote,
  progressMode,
} from '@quern/terminal';
import { describePlainPlan, describePlainTensors, describeWritten, plainSummary, writtenFacts } from './hf-report.ts';

export interface ToHuggingFaceOptions extends QuantizeFlagValues, WriteFlagValues, CommandContext {
  type: string;
  output?: string;
  maxShardSize?: string;
  awqScales?: string | true;
}

/**
 * @param locate finds or fetches the input: not before the command line is known to be right
 * @throws QuernError `usage-*`, `refused-lost-metadata`, and those of `huggingFaceOf` and `writePlainCheckpoint`
 */
export async function toHuggingFace(
  ref: string,
  locate: () => Promise<Located>,
  options: ToHuggingFaceOptions,
): Promise<undefined> {
  const { json, strict, dryRun, force, allowNonFinite, onOverflow, signal, onUnfinished } = options;
  const type = checkUsage(options);
  const maxShardBytes = options.maxShardSize === undefined ? undefined : parseShardSize(options.maxShardSize);
  const threads = parseCount('--threads', options.threads, 1024);
  const outputOf = (wanted: string): string => outputFolder(options.output, checkpointName(ref, wanted));
  if (!dryRun) await requireOutputFolder(outputOf(type), { force });
  const model = await open(await locate(), type);
  try {
    const { checkpoint } = model;
    const notes = [...checkpoint.notes, ...(checkpoint.remarks ?? [])];
    if (!json) for (const note of notes) printNote(`note: ${note}`);
    if (strict && checkpoint.notes[0] !== undefined) throw refusedNote(checkpoint.notes[0], checkpoint.path);
    const plan = planPlainCheckpoint(checkpoint, model.type, maxShardBytes);
    const path = outputOf(model.type);
    const inputs = new Set(plan.tensors.map(({ view }) => view.file));
    if (!dryRun) await requireOutputFolder(path, { inputs, force });
    const facts = { path, notes, ...plainSummary(plan) };
    if (dryRun) {
      if (json) printJson(facts);
      else printLine(`${describePlainTensors(plan)}\n\n${describePlainPlan(plan)}\n${path}: not written (dry run)`);
      return undefined;
    }
    const progress = createProgress({ title: 'convert', mode: progressMode({ json }) });
    const written = await writePlainCheckpoint(path, checkpoint, plan, {
      ...{ maxShardBytes, threads, strict, force, allowNonFinite, onOverflow, signal, onUnfinished },
      settings: { type: model.type, source: await identityOf([...inputs]) },
      onNote: progress.note,
      onProgress: ({ done, total, tensor }) => progress.update({ done, total, label: tensor }),
    }).finally(() => progress.finish());
    if (json) printJson({ ...facts, ...writtenFacts(written) });
    else printLine(`${describePlainPlan(plan)}\n${describeWritten(written)}`);
    return undefined;
  } finally {
    await model.checkpoint.close();
  }
}

/** @returns the type, or `auto` */
function checkUsage(options: ToHuggingFaceOptions): CheckpointType | 'auto' {
  const [unused] = quantizeFlagsGiven(options);
  if (unused) throw new QuernError('usage-not-quantizing', `${unused} means nothing with --to hf.`);
  if (options.awqScales !== undefined)
    throw new QuernError('usage-not-quantizing', '--awq-scales means nothing with --to hf.', {
      remedy: 'quern quantize --type awq writes a folder whose weights are scaled.',
    });
  for (const flag of ['shard', 'verify'] as const) {
    if (options[flag]) throw new QuernError('usage-not-quantizing', `--${flag} does not go with --to hf.`);
  }
  const type = conversionType(options.type);
  if (type !== undefined && type !== 'Q8_0') return type;
  throw new QuernError('usage-type', `A checkpoint of plain numbers cannot be of the type ${options.type}.`, {
    remedy: 'Choose f32, f16, bf16 or auto.',
  });
}

async function open(
  { path, kind }: Located,
  wanted: CheckpointType | 'auto',
): Promise<{ checkpoint: HuggingFaceModel; type: CheckpointType }> {
  const source = kind === 'gguf' ? await openGgufModel(path) : await openHfCheckpoint(path);
  try {
    const type = wanted === 'auto' ? guessCheckpointType(source.tensors.values()) : wanted;
    const checkpoint = 'metadata' in source ? await huggingFaceOf(source, type) : await plainCheckpointOf(source, type);
    return { checkpoint, type };
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** Changes when a file of the input does. */
const identityOf = async (files: readonly string[]): Promise<string> =>
  createHash('sha256')
    .update(await sourceIdentity(files))
    .digest('hex');

const refusedNote = (note: string, file: string): QuernError =>
  new QuernError('refused-lost-metadata', `Something would be left out: ${note}.`, {
    file,
    remedy: 'Leave --strict out to go on without it.',
  });
