// What a person types (path, created model or hub id) to an open model, with progress when it has to be fetched.
import { findCreated, locateCheckpoint, type ModelView } from '@quern/checkpoint';
import { type AdapterRequest, type LoadOverride, openModel } from '@quern/models';
import { type CommandContext, downloadProgress, progressMode } from '@quern/terminal';

export interface OpenedReference {
  readonly view: ModelView;
  /** Those that belong to a created model. */
  readonly adapters: readonly AdapterRequest[];
}

/** @throws QuernError those of `findCreated`, `locateCheckpoint` and `openModel` */
export async function openReference(
  model: string,
  context: CommandContext,
  options: { json?: boolean } = {},
  override?: LoadOverride,
): Promise<OpenedReference> {
  const created = await findCreated(model);
  const download = downloadProgress(progressMode(options));
  const { path } = await locateCheckpoint(created?.weights ?? model, { ...context, ...download.watch });
  download.finish();
  const adapters = (created?.adapters ?? []).map((file) => ({ path: file, scale: 1 }));
  return { view: await openModel(path, { override }), adapters };
}
