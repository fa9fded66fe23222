export * from './anywhere.ts';
export type { Piece } from './pool/pieces.ts';
export {
  type Drain,
  type Fill,
  TranscodePool,
  type TranscodeReport,
  type TranscodeTask,
} from './pool/transcode-pool.ts';
