// The model that a person named: a GGUF file or a checkpoint, fetched where it is far away.
import { type Located, type LocateOptions, locateCheckpoint, type ModelView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import { openModel } from '@quern/models';
import { downloadProgress, progressMode } from '@quern/terminal';

export interface OpenedInput extends Located {
  /** The caller's to close. */
  readonly view: ModelView;
}

/** @throws QuernError `usage-pre`, and those of `locateCheckpoint` and `openModel` */
export async function openInput(
  ref: string,
  options: { readonly json?: boolean; readonly quiet?: boolean; readonly pre?: string },
  context: LocateOptions,
): Promise<OpenedInput> {
  const download = downloadProgress(progressMode(options));
  const accept = (kind: Located['kind']): void => {
    if (kind === 'gguf') refusePre(options);
  };
  const located = await locateCheckpoint(ref, { accept, ...context, ...download.watch });
  download.finish();
  return { ...located, view: await openModel(located.path, { preTokenizer: options.pre }) };
}

/** @throws QuernError `usage-pre` */
export function refusePre({ pre }: { readonly pre?: string }): void {
  if (pre === undefined) return;
  throw new QuernError(
    'usage-pre',
    '--pre means nothing for a GGUF file, which says itself how its tokenizer cuts text.',
    {
      remedy: 'Drop it; --override-kv tokenizer.ggml.pre=str:NAME changes what the file says.',
    },
  );
}
