// What a person types (path or hub id) to an open model, with progress when it has to be fetched.
import { locateCheckpoint, type ModelView } from '@quern/checkpoint';
import { type LoadOverride, openModel } from '@quern/models';
import { type CommandContext, downloadProgress, progressMode } from '@quern/terminal';

/** @throws QuernError those of `locateCheckpoint` and `openModel` */
export async function openReference(
  model: string,
  context: CommandContext,
  options: { json?: boolean } = {},
  override?: LoadOverride,
): Promise<ModelView> {
  const download = downloadProgress(progressMode(options));
  const { path } = await locateCheckpoint(model, { ...context, ...download.watch });
  download.finish();
  return openModel(path, { override });
}
