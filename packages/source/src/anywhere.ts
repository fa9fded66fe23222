// What runs anywhere: sources of bytes that need no file system.
export { blobSource } from './blob.ts';
export { countReads } from './count-reads.ts';
export { httpSource } from './http.ts';
export type { HttpOptions } from './http-range.ts';
export { memorySource } from './memory.ts';
export { parsePythonJson, pythonJson } from './python-json.ts';
export { readAhead } from './read-ahead.ts';
export type { Source } from './source.ts';
