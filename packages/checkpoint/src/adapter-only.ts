// What a fine-tune with PEFT leaves: adapter_config.json {"base_model_name_or_path", "peft_type"} and the adapter's few
// matrices. Without the base they are no model, and the folder must not pass for a broken one.
import { QuernError } from '@quern/errors';
import { parsePythonJson, type Source } from '@quern/source';

const adapterFile = /^(\d+_)?adapters?([._].*)?\.(safetensors|bin|npz)$|^adapter_config\.json$/;
const maxConfigBytes = 2 ** 20;

/**
 * For a folder without weights of a model.
 * @param place names the folder in errors
 * @param open a file of the folder
 * @throws QuernError `checkpoint-adapter-only` when it holds an adapter
 */
export async function refuseAdapter(
  names: readonly string[],
  place: string,
  open: (name: string) => Promise<Source>,
): Promise<void> {
  if (!names.some((name) => adapterFile.test(name))) return;
  const { kind, base } = await describe(open);
  throw new QuernError(
    'checkpoint-adapter-only',
    `The folder holds only an adapter (${kind})${base === undefined ? '' : ` of ${JSON.stringify(base)}`}, not a model.`,
    {
      file: place,
      remedy:
        kind === 'LoRA'
          ? `Merge it into its base model first: quern convert ${base ?? 'BASE'} --lora ${place}, or merge_and_unload() and save_pretrained() of PEFT. Or give the base model, and this with --lora (quern serve).`
          : 'Merge it into its base model first: load both with PEFT, then merge_and_unload() and save_pretrained(), and give that folder.',
    },
  );
}

async function describe(open: (name: string) => Promise<Source>): Promise<{ kind: string; base?: string }> {
  // The file is read only to help: a missing or broken one does not change what the folder is.
  const config = await readConfig(open).catch(() => ({}) as Record<string, unknown>);
  // `model`: mlx-lm.
  const base = [config.base_model_name_or_path, config.model].find((name) => typeof name === 'string' && name !== '');
  const kind = typeof config.peft_type === 'string' && /^\w{1,30}$/.test(config.peft_type) ? config.peft_type : 'LoRA';
  return { kind: kind === 'LORA' ? 'LoRA' : kind, base: base as string | undefined };
}

async function readConfig(open: (name: string) => Promise<Source>): Promise<Record<string, unknown>> {
  const source = await open('adapter_config.json');
  try {
    const bytes = await source.read(0, Math.min(source.size, maxConfigBytes));
    return (parsePythonJson(new TextDecoder().decode(bytes)) ?? {}) as Record<string, unknown>;
  } finally {
    await source.close();
  }
}
