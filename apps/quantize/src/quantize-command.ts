// quern quantize: a GGUF file to a smaller one, with the bytes of llama-quantize; or a checkpoint folder of packed weights.
import { type Located, locateCheckpoint, type ModelView, openGgufModel } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import {
  checkWriteFlags,
  fileTypeNamed,
  type QuantizeFlagValues,
  quantizedName,
  quantizePlan,
  requireOutputNamed,
  type WriteFlagValues,
  writeAndReport,
} from '@quern/kquant';
import { type MergedModel, openMerged, readMergedAdapters } from '@quern/models';
import { outputFile } from '@quern/source';
import { type CommandContext, downloadProgress, progressMode } from '@quern/terminal';
import { type LayerFlagValues, layerTypeOf, layerTypes, strangeLayerFlags } from './layer-flags.ts';
import { refusePre } from './open-input.ts';
import { quantizeLayers } from './quantize-layers.ts';
import { quantizeToTarget } from './quantize-to-target.ts';
import { type ScaledModel, scaledModel } from './scaled-model.ts';
import { hasTarget, refuseWithoutTarget, type TargetFlagValues } from './target-flags.ts';

export interface QuantizeOptions extends QuantizeFlagValues, WriteFlagValues, TargetFlagValues, LayerFlagValues {
  type?: string;
  output?: string;
  allowRequantize?: boolean;
  keepSplit?: boolean;
  pre?: string;
  lora?: readonly string[];
}

export const quantize = (
  input: string,
  options: QuantizeOptions,
  context: CommandContext,
): Promise<number | undefined> => actionOf(options)(input, options, context);

type Action = (input: string, options: QuantizeOptions, context: CommandContext) => Promise<number | undefined>;

function actionOf(options: QuantizeOptions): Action {
  refuseUnmerged(options);
  if (hasTarget(options)) return toTarget;
  const type = layerTypeOf(options.type);
  if (type === undefined) return quantizeToGguf;
  refuseWithoutTarget(options);
  return (input, given, context) => quantizeLayers(type, input, given, context);
}

async function quantizeToGguf(
  input: string,
  options: QuantizeOptions,
  context: CommandContext,
): Promise<number | undefined> {
  if (options.type === undefined)
    throw new QuernError('usage-no-type', 'Say what to write: --type, --target-bpw or --target-size.', {
      remedy: 'For example --type Q4_K_M.',
    });
  refuseWithoutTarget(options);
  refuseLayerFlags(options);
  if (options.awqScales === undefined) refusePre(options);
  const fileType = fileTypeNamed(options.type, layerTypes).name;
  const { keepSplit, allowRequantize, awqScales } = options;
  checkWriteFlags(options);
  const wanted = await outputFile(options.output, quantizedName(input, fileType));
  await requireOutputNamed(wanted, options);
  const {
    view: model,
    output,
    converted,
  }: ScaledModel = awqScales === undefined
    ? { view: await openGgufInput(input, options, context), output: wanted }
    : await scaledModel(input, fileType, { ...options, awqScales }, context);
  let merged: MergedModel<ModelView> | undefined;
  try {
    merged = await openMerged(model, readMergedAdapters(options));
    const { view } = merged;
    const request = { fileType, output, converted, keepSplit, allowRequantize, ...context };
    const { plan, imatrix } = await quantizePlan(view, request, options);
    try {
      return await writeAndReport(view, plan, output, { ...options, title: 'quantize', imatrix, ...context });
    } finally {
      await imatrix?.close();
    }
  } finally {
    await merged?.close();
    await model.close();
  }
}

/** @throws QuernError `source-not-a-file` with the command that takes folders, and those of `locateCheckpoint` */
async function openGgufInput(input: string, options: QuantizeOptions, context: CommandContext): Promise<ModelView> {
  const download = downloadProgress(progressMode(options));
  const accept = (kind: Located['kind']): void => {
    if (kind === 'gguf') return;
    throw new QuernError('source-not-a-file', 'The input is a checkpoint, and GGUF types are made from a GGUF file.', {
      file: input,
      remedy: `quern convert ${input} --type ${options.type} makes one of the checkpoint.`,
    });
  };
  const { path } = await locateCheckpoint(input, { accept, ...context, ...download.watch });
  download.finish();
  return openGgufModel(path);
}

/** Adapters are merged as a GGUF file is quantized to a type. @throws QuernError `usage-lora` */
function refuseUnmerged({ lora, awqScales, type, ...options }: QuantizeOptions): void {
  if (!lora || (awqScales === undefined && !hasTarget(options) && layerTypeOf(type) === undefined)) return;
  throw new QuernError('usage-lora', '--lora goes with --type and a GGUF type alone.', {
    remedy: 'Merge first: quern convert CHECKPOINT --lora ADAPTER, then quantize what that wrote.',
  });
}

/** @throws QuernError `usage-not-for-type` */
function refuseLayerFlags(options: QuantizeOptions): void {
  const [strange] = strangeLayerFlags(options, undefined);
  if (strange !== undefined)
    throw new QuernError('usage-not-for-type', `${strange} means nothing with --type ${options.type}.`, {
      remedy: 'Drop it, or choose awq, gptq or rtn.',
    });
}

async function toTarget(input: string, options: QuantizeOptions, context: CommandContext): Promise<number | undefined> {
  for (const [flag, value] of [
    ['--type', options.type],
    ['--keep-split', options.keepSplit],
  ])
    if (value !== undefined) throw new QuernError('usage-target', `${flag} does not go with a target.`);
  return quantizeToTarget(input, options, context);
}
