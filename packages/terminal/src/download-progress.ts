// Progress of a download that may turn out to be unnecessary (the model is a local path, or in the cache already):
// nothing is printed unless bytes arrive.
import { createProgress, type Progress, type ProgressMode } from './progress.ts';

export interface DownloadProgress {
  /** For `locateCheckpoint`. */
  onProgress(state: { file: string; receivedBytes: number; totalBytes: number }): void;
  finish(): void;
}

export function downloadProgress(mode: ProgressMode): DownloadProgress {
  let progress: Progress | undefined;
  return {
    onProgress({ file, receivedBytes, totalBytes }) {
      progress ??= createProgress({ title: 'download', mode });
      progress.update({ done: receivedBytes, total: totalBytes, label: file });
    },
    finish: () => progress?.finish(),
  };
}
