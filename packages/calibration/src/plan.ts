import type { CalibrationText, ChunkOptions } from './collect/chunks.ts';
import type { CollectorOptions } from './collect/collector.ts';

/** What to measure on, and what. */
export interface CalibrationPlan extends ChunkOptions, CollectorOptions {
  readonly texts: readonly CalibrationText[];
  /** Default: all. */
  readonly maxChunks?: number;
  /** Go on beyond `maxChunks` until every expert has seen this many rows, or the text ends. */
  readonly minimumRows?: number;
}
