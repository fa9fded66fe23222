export { quantize } from './definition.ts';
export { merge } from './merge-definition.ts';
