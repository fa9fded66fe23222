export { quantizeCommand } from './quantize-command.ts';
