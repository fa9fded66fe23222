export { type CommandRow, commands } from './commands.ts';
export { runProgram } from './program.ts';
