// `quern pull`: a model of the hub, or of another server, into the cache.
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { locateCheckpoint } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import {
  type CommandContext,
  downloadProgress,
  formatBytes,
  printJson,
  printLine,
  progressMode,
} from '@quern/terminal';

export interface PullOptions {
  json?: boolean;
  quiet?: boolean;
}

/** @throws QuernError `usage-nothing-to-pull`, and those of `locateCheckpoint` */
export async function pull(name: string, options: PullOptions, context: CommandContext): Promise<undefined> {
  // Everywhere else a path wins over a hub id of the same spelling, so this name would not be the fetched model's.
  if (existsSync(name))
    throw new QuernError('usage-nothing-to-pull', 'The model is a file or folder of this machine.', {
      file: name,
      remedy: 'For a hub id of the same spelling write hf://owner/repo.',
    });
  const download = downloadProgress(progressMode(options));
  const { path, kind, files = [path] } = await locateCheckpoint(name, { ...context, ...download.watch });
  download.finish();
  const sizes = await Promise.all(files.map(async (file) => ({ path: file, bytes: (await stat(file)).size })));
  const bytes = sizes.reduce((sum, file) => sum + file.bytes, 0);
  if (options.json) printJson({ model: name, kind, path, bytes, files: sizes });
  else printLine(`${path}  (${formatBytes(bytes)})`);
}
