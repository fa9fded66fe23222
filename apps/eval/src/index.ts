export { evalCommand } from './command.ts';
