// What opening a file may lead to: a QuernError, or a model whose every tensor was proved to lie inside its file.
// Anything else (another exception, an absurd range, a long wait, much memory) is a bug, and fails the test that asked.
import type { DType } from '@quern/blocks';
import { QuernError } from '@quern/errors';

export interface OpenedTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
  readonly fileSize: number;
}

// Of processor time. A slow machine needs milliseconds; a hang or a quadratic loop needs more than this.
const patienceMs = 10_000;

/** The error's code, or `open`. */
export async function outcomeOf(open: () => Promise<OpenedTensor[]>): Promise<string> {
  const start = process.cpuUsage();
  let outcome = 'open';
  try {
    for (const tensor of await open()) proveInside(tensor);
  } catch (error) {
    if (!(error instanceof QuernError)) throw error;
    if (!error.file) throw new Error(`the error ${error.code} names no file`, { cause: error });
    outcome = error.code;
  }
  const ms = process.cpuUsage(start).user / 1000;
  if (ms > patienceMs) throw new Error(`took ${ms} ms to come to ${outcome}`);
  return outcome;
}

function proveInside({ dtype, shape, begin, end, fileSize }: OpenedTensor): void {
  // Exact, unlike the arithmetic under test.
  const weights = shape.reduce((product, dim) => product * BigInt(dim), 1n);
  const bytes = (weights * BigInt(dtype.typeSize)) / BigInt(dtype.blockSize);
  if (begin < 0 || begin > end || end > fileSize || BigInt(end - begin) !== bytes) {
    throw new Error(`${dtype.name} of shape [${shape}] was said to lie at ${begin}…${end} of ${fileSize}`);
  }
}

/** How often each outcome came, over seeds 1 to `runs`; no run may leave the process much larger. */
export async function tally(runs: number, outcome: (seed: number) => Promise<string>): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  const before = process.memoryUsage().rss;
  for (let seed = 1; seed <= runs; seed++) {
    const code = await outcome(seed).catch((cause) => {
      throw new Error(`seed ${seed}: ${cause}`, { cause });
    });
    counts.set(code, (counts.get(code) ?? 0) + 1);
    const grown = process.memoryUsage.rss() - before;
    if (grown > 2 ** 29) throw new Error(`seed ${seed}: the process grew by ${grown} bytes (${code})`);
  }
  return counts;
}
