// Entry of bin/quern.js.
import { runProgram } from './program.ts';

await runProgram(process.argv.slice(2));
