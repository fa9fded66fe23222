export * from './anywhere.ts';
export { type GgufContents, GgufWriter } from './writer.ts';
