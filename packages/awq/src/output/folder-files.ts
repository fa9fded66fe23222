// config.json and the files beside it: those of the checkpoint, with what the packing has to say.
import { carriedFiles, isGguf, type ModelView, openHfCheckpoint } from '@quern/checkpoint';
import { huggingFaceOf, torchNames } from '@quern/models';
import type { PackedConfig } from '@quern/packed';
import type { PlainType } from './folder-plan.ts';

export interface FolderFiles {
  readonly config: Record<string, unknown>;
  readonly sideFiles: Map<string, string | Uint8Array>;
}

/** Of the folder that `view` was opened from, or made from the metadata of a GGUF file. */
export async function folderFiles(view: ModelView, type: PlainType, packed: PackedConfig): Promise<FolderFiles> {
  const { config, sideFiles } = (await isFolder(view.path))
    ? await filesOf(view.path)
    : await huggingFaceOf(view, type);
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

async function filesOf(
  dir: string,
): Promise<{ config: Readonly<Record<string, unknown>>; sideFiles: Map<string, Uint8Array> }> {
  const { config, close, readBytes, chatTemplates } = await openHfCheckpoint(dir);
  await close();
  const sideFiles = new Map<string, Uint8Array>();
  for (const name of [...carriedFiles, ...((await chatTemplates?.()) ?? [])]) {
    const bytes = await readBytes(name);
    if (bytes) sideFiles.set(name, bytes);
  }
  return { config, sideFiles };
}
