// Long work written as a generator that pauses: at once, or with others answered in between.
import { setImmediate } from 'node:timers/promises';

export function atOnce<Result>(work: Generator<void, Result>): Result {
  let step = work.next();
  while (!step.done) step = work.next();
  return step.value;
}

export async function withPauses<Result>(work: Generator<void, Result>): Promise<Result> {
  let step = work.next();
  for (; !step.done; step = work.next()) await setImmediate();
  return step.value;
}
