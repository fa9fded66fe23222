// quern convert-lora: an adapter of PEFT to GGUF, with the tensors of llama.cpp's convert_lora_to_gguf.py.
import { locateCheckpoint } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import {
  type ConversionType,
  checkWriteFlags,
  conversionType,
  convertedName,
  planConversion,
  requireOutputNamed,
  type WriteFlagValues,
  writeAndReport,
} from '@quern/kquant';
import { adapterView, guessFileType, openModel, openPeftAdapter } from '@quern/models';
import { outputFile } from '@quern/source';
import { type CommandContext, downloadProgress, progressMode } from '@quern/terminal';

export interface ConvertLoraOptions extends WriteFlagValues {
  base?: string;
  type: string;
  output?: string;
}

export async function convertLora(
  folder: string,
  options: ConvertLoraOptions,
  context: CommandContext,
): Promise<number | undefined> {
  const { base } = options;
  const type = typeOf(options.type);
  if (base === undefined)
    throw new QuernError('usage-base', 'Say which model the adapter was trained on: --base.', {
      file: folder,
      remedy: 'adapter_config.json names it as base_model_name_or_path.',
    });
  checkWriteFlags(options);
  const outputOf = (name: string): Promise<string> => outputFile(options.output, convertedName(folder, name));
  await requireOutputNamed(await outputOf(type), options);
  const download = downloadProgress(progressMode(options));
  const { path } = await locateCheckpoint(base, { ...context, ...download.watch });
  download.finish();
  const model = await openModel(path);
  try {
    const adapter = await openPeftAdapter(folder, model);
    try {
      const view = await adapterView(adapter, model);
      const plan = planConversion(view, type === 'auto' ? guessFileType(view.tensors.values()) : type);
      return await writeAndReport(view, plan, await outputOf(plan.fileType), {
        ...{ ...options, title: 'convert-lora' },
        ...context,
      });
    } finally {
      await adapter.close();
    }
  } finally {
    await model.close();
  }
}

/** @throws QuernError `usage-type` */
function typeOf(name: string): ConversionType {
  const type = conversionType(name);
  if (type) return type;
  throw new QuernError('usage-type', `An adapter cannot be of the type ${name}.`, {
    remedy: 'Choose f32, f16, bf16, q8_0 or auto.',
  });
}
