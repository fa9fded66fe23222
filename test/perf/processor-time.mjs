// The processor time of another process's main thread, which is where Node runs JavaScript. Unlike a clock it does not count what other
// programs on the machine take.
import { readFileSync } from 'node:fs';

/**
 * Milliseconds; undefined where there is no /proc.
 * @param {number} pid
 * @returns {number | undefined}
 */
export function mainThreadMs(pid) {
  if (process.platform !== 'linux') return undefined;
  const [nanoseconds] = readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ');
  return Number(nanoseconds) / 1e6;
}
