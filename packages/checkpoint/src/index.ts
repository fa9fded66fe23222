export { withoutQuantization } from '@quern/packed';
export * from './anywhere.ts';
export { fileBytesOf } from './file-bytes.ts';
export { openHfCheckpoint } from './hf-checkpoint.ts';
export { carriedFiles } from './hub-checkpoint.ts';
export { isGguf } from './is-gguf.ts';
export { type Located, type LocateOptions, locateCheckpoint } from './locate.ts';
