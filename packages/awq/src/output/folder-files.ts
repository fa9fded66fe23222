// config.json and the files beside it: those of the checkpoint, with what the packing has to say.
import { carriedFiles, isGguf, type ModelView, openHfCheckpoint } from '@quern/checkpoint';
import { huggingFaceOf, isWrapper, torchNames } from '@quern/models';
import type { PackedConfig } from '@quern/packed';
import type { PlainType } from './folder-plan.ts';

export interface FolderFiles {
  readonly config: Record<string, unknown>;
  readonly sideFiles: Map<string, string | Uint8Array>;
}

/**
 * The config.json that the folder keeps: that of the checkpoint, of which the text model alone is written. Undefined where
 * another has to be made: of a GGUF file, and of a checkpoint with other parts.
 */
export async function keptConfig(view: ModelView): Promise<Readonly<Record<string, unknown>> | undefined> {
  if (!(await isFolder(view.path))) return undefined;
  const { config, close } = await openHfCheckpoint(view.path);
  await close();
  return isWrapper(config) ? undefined : config;
}

/** @param kept what `keptConfig` gives */
export async function folderFiles(
  view: ModelView,
  type: PlainType,
  packed: PackedConfig,
  kept: Readonly<Record<string, unknown>> | undefined,
): Promise<FolderFiles> {
  const made = kept ? undefined : await huggingFaceOf(view, type);
  const config = kept ?? made!.config;
  const sideFiles = (await isFolder(view.path)) ? await filesOf(view.path) : made!.sideFiles;
  const {
    // Of how the input was packed.
    quantization_config: _,
    quantization: __,
    ...rest
  } = config;
  const dtype = 'dtype' in rest ? 'dtype' : 'torch_dtype';
  const files = new Map(sideFiles);
  for (const [name, content] of packed.sideFiles ?? []) files.set(name, `${JSON.stringify(content, null, 2)}\n`);
  return {
    config: {
      ...rest,
      [dtype]: torchNames[type],
      ...packed.extraConfig,
      quantization_config: packed.quantization_config,
    },
    sideFiles: files,
  };
}

async function isFolder(path: string): Promise<boolean> {
  return !(await isGguf(path).catch(() => false));
}

async function filesOf(dir: string): Promise<Map<string, Uint8Array>> {
  const { close, readBytes, chatTemplates } = await openHfCheckpoint(dir);
  await close();
  const sideFiles = new Map<string, Uint8Array>();
  for (const name of [...carriedFiles, ...((await chatTemplates?.()) ?? [])]) {
    const bytes = await readBytes(name);
    if (bytes) sideFiles.set(name, bytes);
  }
  return sideFiles;
}
