// Runs `quern <command> …` and reports its peak resident memory in KiB and its milliseconds on stderr:
//   measured 123456 789
import { resourceUsage } from 'node:process';

const { runProgram } = await import('../../apps/quern/dist/program.js');
await runProgram(process.argv.slice(2));
process.on('exit', () => console.error(`measured ${resourceUsage().maxRSS} ${Math.round(performance.now())}`));
