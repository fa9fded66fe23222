export * from './anywhere.ts';
export { fillFromRows, type ReadRows } from './pool/fill-from-rows.ts';
export type { Piece } from './pool/pieces.ts';
export {
  type Drain,
  type Fill,
  TranscodePool,
  type TranscodeReport,
  type TranscodeTask,
} from './pool/transcode-pool.ts';
