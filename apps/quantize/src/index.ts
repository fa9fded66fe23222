export { mergeCommand } from './merge-command.ts';
export { quantizeCommand } from './quantize-command.ts';
