// quern convert: a Hugging Face checkpoint to GGUF, with the bytes of convert_hf_to_gguf.py; to a quantized type in the
// same pass, with the bytes of converting and quantizing one after the other. With --to hf (to-hugging-face.ts) the other
// way, from GGUF or from a checkpoint of any kind of weights.

import { type Located, locateCheckpoint, type ModelView, withProvedForms } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import {
  checkQuantizing,
  checkWriteFlags,
  conversionType,
  convertedName,
  fileTypeNamed,
  type Plan,
  planConversion,
  type QuantizeFlagValues,
  quantizeFlagsGiven,
  quantizePlan,
  requireOutputNamed,
  requireOutputs,
  type WriteFlagValues,
  writeAndReport,
} from '@quern/kquant';
import {
  type DraftChoice,
  type MergedModel,
  type MmprojView,
  openMerged,
  openMmproj,
  openModel,
  readMergedAdapters,
} from '@quern/models';
import { outputFile } from '@quern/source';
import { type CommandContext, downloadProgress, progressMode } from '@quern/terminal';
import { scaledModel } from './scaled-model.ts';
import { toHuggingFace } from './to-hugging-face.ts';
import { checkMmprojUsage, fileOfTowers } from './towers.ts';

export interface ConvertOptions extends QuantizeFlagValues, WriteFlagValues {
  type: string;
  output?: string;
  revision?: string;
  pre?: string;
  to: 'gguf' | 'hf';
  maxShardSize?: string;
  awqScales?: string | true;
  calibration?: string;
  mtp: DraftChoice;
  mmproj?: boolean;
  lora?: readonly string[];
}

export async function convert(
  ref: string,
  options: ConvertOptions,
  context: CommandContext,
): Promise<number | undefined> {
  if (options.calibration !== undefined && options.awqScales === undefined)
    throw new QuernError('usage-calibration', '--calibration means nothing without --awq-scales.');
  if (options.to === 'hf' && options.pre !== undefined)
    throw new QuernError('usage-pre', '--pre means nothing with --to hf: a checkpoint keeps its expression.');
  if (options.to === 'hf' && options.mtp !== 'keep')
    throw new QuernError(
      'usage-mtp',
      `--mtp ${options.mtp} means nothing with --to hf: a checkpoint keeps its blocks.`,
    );
  if (options.mmproj) checkMmprojUsage(options);
  if (options.to === 'hf' && options.lora)
    throw new QuernError('usage-lora', '--lora means nothing with --to hf: adapters are merged as GGUF is written.', {
      remedy: 'Convert with --lora first, then the result with --to hf.',
    });
  if (options.to === 'hf') return toHuggingFace(ref, () => locate(ref, options, context), { ...options, ...context });
  if (options.maxShardSize !== undefined)
    throw new QuernError('usage-max-shard-size', '--max-shard-size means nothing without --to hf.');
  const conversion = conversionType(options.type);
  const quantization = conversion ? undefined : fileTypeNamed(options.type);
  const [unused] = conversion ? quantizeFlagsGiven(options) : [];
  if (unused)
    throw new QuernError('usage-not-quantizing', `${unused} means nothing with --type ${options.type}.`, {
      remedy: 'Drop it, or choose a quantized type.',
    });
  checkWriteFlags(options);
  const outputOf = (type: string): Promise<string> => outputFile(options.output, convertedName(ref, type));
  // Of auto the name is known with the model; the folder is known now.
  await requireOutputNamed(await outputOf(quantization?.name ?? conversion ?? 'auto'), options);
  const { path } = await locate(ref, options, context);
  const opened = await openModel(path, { draft: options.mtp, preTokenizer: options.pre });
  let towers: MmprojView | undefined;
  let merged: MergedModel<ModelView> | undefined;
  try {
    merged = await openMerged(opened, readMergedAdapters(options));
    towers = options.mmproj ? await openMmproj(path) : undefined;
    const proved = await withProvedForms(merged.view);
    const planned = planConversion(proved, conversion ?? 'auto');
    const output = await outputOf(quantization?.name ?? planned.fileType);
    const beside = towers && (await fileOfTowers(towers, conversion ?? 'auto', ref, output, options));
    const isScaled = options.awqScales !== undefined;
    if (isScaled) await checkBeforeScaling(proved, planned, output, quantization?.name, options);
    const model = isScaled ? await scaledModel(proved, output, options, context) : proved;
    // Scaled weights stay F32 until they are quantized, so that they are rounded once.
    const converted = planConversion(model, conversion ?? (isScaled ? 'F32' : 'auto'));
    const { plan, imatrix } = quantization
      ? await quantizePlan(model, { fileType: quantization.name, output, converted, ...context }, options)
      : { plan: converted };
    try {
      return await writeAndReport(model, plan, output, { ...options, title: 'convert', imatrix, beside, ...context });
    } finally {
      await imatrix?.close();
    }
  } finally {
    await towers?.close();
    await merged?.close();
    await opened.close();
  }
}

/** Scales take long: what would stop the command behind them shows now. */
async function checkBeforeScaling(
  view: ModelView,
  converted: Plan,
  output: string,
  fileType: string | undefined,
  options: ConvertOptions,
): Promise<void> {
  if (fileType === undefined) await requireOutputs(view, converted, output, options);
  else await checkQuantizing(view, { fileType, output, converted }, options);
}

async function locate(ref: string, options: ConvertOptions, context: CommandContext): Promise<Located> {
  const { revision, to } = options;
  const download = downloadProgress(progressMode(options));
  const accept = to === 'hf' ? undefined : refuseGguf;
  const located = await locateCheckpoint(ref, { revision, accept, ...context, ...download.watch });
  download.finish();
  return located;
}

/** Before it is fetched. */
function refuseGguf(kind: Located['kind'], file: string): void {
  if (kind === 'hf') return;
  throw new QuernError('usage-already-gguf', 'The input is a GGUF file already.', {
    file,
    remedy: 'Use quern quantize to change its type, or --to hf for a checkpoint folder.',
  });
}
