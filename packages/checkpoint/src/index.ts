export * from './anywhere.ts';
export { fileBytesOf } from './file-bytes.ts';
export { openHfCheckpoint } from './hf-checkpoint.ts';
export { isGguf } from './is-gguf.ts';
export { carriedFiles, type Located, type LocateOptions, locateCheckpoint } from './locate.ts';
