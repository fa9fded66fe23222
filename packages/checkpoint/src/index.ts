export { withoutQuantization } from '@quern/packed';
export * from './anywhere.ts';
export { carriedFiles, isModuleFile, isVocabularyFile } from './carried-files.ts';
export { type Contents, type ContentsOptions, openContents } from './contents.ts';
export { fileBytesOf } from './file-bytes.ts';
export { openHfCheckpoint, sideFiles } from './hf-checkpoint.ts';
export { isGguf } from './is-gguf.ts';
export { type Located, type LocateOptions, locateCheckpoint } from './locate.ts';
export { findPlace, type ModelPlace, type PlaceOptions } from './model-place.ts';
