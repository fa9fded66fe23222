// Command lines in one process, for tests of what is refused at once: starting a process for each takes a hundred times as long as
// the refusal. Each message is the words of a line; the answer is {code, stdout, stderr}.
import { runProgram } from '../../apps/quern/dist/program.js';

const exit = process.exit.bind(process);
// A failed command ends its process some time later; this one has others to run.
process.exit = () => {};

process.on('message', async (args) => {
  const result = { code: 0, stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'])
    process[stream].write = (text) => {
      result[stream] += text;
      return true;
    };
  process.exitCode = 0;
  await runProgram(args);
  process.send({ ...result, code: Number(process.exitCode) });
});
process.on('disconnect', () => exit(0));
