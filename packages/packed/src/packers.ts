// Format → how it is written. One row per format.
import type { Packer } from './packer.ts';

export const packers: ReadonlyMap<string, Packer> = new Map<string, Packer>([]);
