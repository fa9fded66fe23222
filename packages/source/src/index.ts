export { blobSource } from './blob.ts';
export { openFile } from './file.ts';
export { createFileSink, type FileSink } from './file-sink.ts';
export { httpSource } from './http.ts';
export type { HttpOptions } from './http-range.ts';
export { fetchSnapshot, type SnapshotProgress, type SnapshotRequest } from './hub/fetch-snapshot.ts';
export { memorySource } from './memory.ts';
export type { Source } from './source.ts';
