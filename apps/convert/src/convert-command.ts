// quern convert: a Hugging Face checkpoint to GGUF, with the bytes of convert_hf_to_gguf.py; to a quantized type in the
// same pass, with the bytes of converting and quantizing one after the other. With --to hf (to-hugging-face.ts) the other
// way, from GGUF or from a checkpoint of any kind of weights.

import { type Located, locateCheckpoint, withProvedForms } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import {
  conversionType,
  convertedName,
  fileTypeNamed,
  planConversion,
  type QuantizeFlagValues,
  quantizeFlagsGiven,
  quantizePlan,
  type WriteFlagValues,
  writeAndReport,
} from '@quern/kquant';
import { openModel } from '@quern/models';
import { type CommandContext, downloadProgress, progressMode } from '@quern/terminal';
import { scaledModel } from './scaled-model.ts';
import { toHuggingFace } from './to-hugging-face.ts';

export interface ConvertOptions extends QuantizeFlagValues, WriteFlagValues {
  type: string;
  output?: string;
  revision?: string;
  to: 'gguf' | 'hf';
  maxShardSize?: string;
  awqScales?: string | true;
  calibration?: string;
}

export async function convert(
  ref: string,
  options: ConvertOptions,
  context: CommandContext,
): Promise<number | undefined> {
  if (options.calibration !== undefined && options.awqScales === undefined)
    throw new QuernError('usage-calibration', '--calibration means nothing without --awq-scales.');
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
  const opened = await openModel((await locate(ref, options, context)).path);
  try {
    const proved = await withProvedForms(opened);
    const { fileType } = planConversion(proved, conversion ?? 'auto');
    const output = options.output ?? convertedName(ref, quantization?.name ?? fileType);
    const isScaled = options.awqScales !== undefined;
    const model = isScaled ? await scaledModel(proved, output, options, context) : proved;
    // Scaled weights stay F32 until they are quantized, so that they are rounded once.
    const converted = planConversion(model, conversion ?? (isScaled ? 'F32' : 'auto'));
    const { plan, imatrix } = quantization
      ? await quantizePlan(model, { fileType: quantization.name, output, converted, ...context }, options)
      : { plan: converted };
    try {
      return await writeAndReport(model, plan, output, { ...options, title: 'convert', imatrix, ...context });
    } finally {
      await imatrix?.close();
    }
  } finally {
    await opened.close();
  }
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
