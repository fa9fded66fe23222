export { blobSource } from './blob.ts';
export { openFile } from './file.ts';
export { createFileSink, type FileSink } from './file-sink.ts';
export { memorySource } from './memory.ts';
export type { Source } from './source.ts';
