export * from './anywhere.ts';
export {
  adoptBlob,
  blobBytes,
  blobPath,
  digestOfFile,
  parseDigest,
  receiveBlob,
  removeBlob,
  removeStrayBlobs,
  unfinishedPath,
} from './blobs.ts';
export { openFile } from './file.ts';
export { createFileSink, type FileSink, type FileSinkOptions, partialPathOf } from './file-sink.ts';
export { type MissingSpace, missingSpace } from './free-space.ts';
export {
  type CachedFile,
  type CachedRepository,
  type CachedSnapshot,
  cachedRepositories,
  removeCached,
} from './hub/cached-repositories.ts';
export { downloadUrl, type UrlRequest } from './hub/download-url.ts';
export { type HubReference, type ModelReference, parseModelReference } from './hub/model-reference.ts';
export {
  type FetchWatch,
  type ListedFile,
  openRepository,
  type Repository,
  type RepositoryRequest,
  type SnapshotProgress,
} from './hub/repository.ts';
export { type HubOptions, hubSettings } from './hub/settings.ts';
export {
  type OutputPlace,
  outputFile,
  outputFolder,
  requireDistinctOutputs,
  requireFolderAbove,
  requireOutputFile,
  requireStateFile,
  requireWritable,
} from './output-place.ts';
export { readInputFile } from './read-input-file.ts';
export { joinShards, openByIndex, openShards, type Shard, type ShardFormat, type ShardTensor } from './shards.ts';
export { type WriteErrorOptions, writeError } from './write-error.ts';
export { writeWholeFile } from './write-whole-file.ts';
