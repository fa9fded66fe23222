// Progress of a download that may turn out to be unnecessary (the model is a local path, or in the cache already):
// nothing is printed unless bytes arrive, or something had to be chosen.
import { createProgress, type Progress, type ProgressMode } from './progress.ts';

export interface DownloadProgress {
  /** For `locateCheckpoint` and its like. */
  readonly watch: {
    onProgress(state: { file: string; receivedBytes: number; totalBytes: number }): void;
    onNote(note: string): void;
  };
  finish(): void;
}

export function downloadProgress(mode: ProgressMode): DownloadProgress {
  let progress: Progress | undefined;
  const begun = (): Progress => (progress ??= createProgress({ title: 'download', mode }));
  return {
    watch: {
      onProgress: ({ file, receivedBytes, totalBytes }) =>
        begun().update({ done: receivedBytes, total: totalBytes, label: file }),
      onNote: (note) => begun().note(note),
    },
    finish: () => progress?.finish(),
  };
}
