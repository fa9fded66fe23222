export * from './anywhere.ts';
export { openHfCheckpoint } from './hf-checkpoint.ts';
export { isGguf } from './is-gguf.ts';
export { type Located, type LocateOptions, locateCheckpoint, sideFiles } from './locate.ts';
