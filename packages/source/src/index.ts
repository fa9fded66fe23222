export * from './anywhere.ts';
export { openFile } from './file.ts';
export { createFileSink, type FileSink, type FileSinkOptions, partialPathOf } from './file-sink.ts';
export { type MissingSpace, missingSpace } from './free-space.ts';
export { fetchSnapshot, type SnapshotProgress, type SnapshotRequest } from './hub/fetch-snapshot.ts';
export { type WriteErrorOptions, writeError } from './write-error.ts';
