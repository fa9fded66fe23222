export { convertCommand } from './convert-command.ts';
