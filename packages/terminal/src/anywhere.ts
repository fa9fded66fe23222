// What runs anywhere: numbers in words.
export { formatBits, formatBytes, formatCount, formatDuration } from './units.ts';
