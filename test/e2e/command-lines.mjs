// Many command lines in one process, for tests of what is refused at once: starting a process for each takes a hundred times
// as long as the refusal.
//   command-lines.mjs <JSON: [[word, …], …]>     prints [{code, stdout, stderr}, …]
import { runProgram } from '../../apps/quern/dist/program.js';

const write = { stdout: process.stdout.write.bind(process.stdout), stderr: process.stderr.write.bind(process.stderr) };
// A failed command ends its process some time later; this one has others to run.
process.exit = () => {};

const results = [];
for (const args of JSON.parse(process.argv[2])) {
  const result = { code: 0, stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'])
    process[stream].write = (text) => {
      result[stream] += text;
      return true;
    };
  process.exitCode = 0;
  await runProgram(args);
  results.push({ ...result, code: Number(process.exitCode) });
}
process.exitCode = 0;
write.stdout(JSON.stringify(results));
