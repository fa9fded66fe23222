import { expect, it } from 'vitest';
import { Watch } from './watch.ts';

/** Of a thread that answers at once, until it is told not to. */
function watched(silenceMs: number) {
  const thread = { pings: 0, answers: true, owes: true, hangs: false };
  const watch: Watch = new Watch({
    silenceMs,
    isOwed: () => thread.owes,
    ping: () => {
      thread.pings++;
      watch.begin();
      if (thread.answers) watch.heard();
    },
    hangs: () => void (thread.hangs = true),
  });
  return { thread, watch };
}

it('asks a thread that owes answers again and again, and says that it hangs when nothing comes back', async () => {
  const { thread, watch } = watched(16);
  watch.begin();
  await expect.poll(() => thread.pings, { interval: 1 }).toBeGreaterThan(40);
  expect(thread.hangs).toBe(false);
  thread.answers = false;
  await expect.poll(() => thread.hangs, { interval: 1 }).toBe(true);
});

it('asks no more when nothing is owed, and not at all where nothing was asked', async () => {
  const { thread, watch } = watched(16);
  watch.begin();
  await expect.poll(() => thread.pings, { interval: 1 }).toBeGreaterThan(0);
  thread.owes = false;
  const other = watched(16);
  other.watch.begin();
  const { pings } = thread;
  await expect.poll(() => other.thread.pings, { interval: 1 }).toBeGreaterThan(20);
  expect(thread.pings).toBeLessThan(pings + 3);
  expect(thread.hangs).toBe(false);
});

it('finds a thread that hangs though the one who asked has left', async () => {
  const { thread, watch } = watched(16);
  Object.assign(thread, { answers: false, owes: false });
  watch.begin();
  await expect.poll(() => thread.hangs, { interval: 1 }).toBe(true);
});

it('has all the time in the world at 0', async () => {
  const patient = watched(0);
  patient.thread.answers = false;
  patient.watch.begin();
  const other = watched(8);
  other.watch.begin();
  await expect.poll(() => other.thread.pings, { interval: 1 }).toBeGreaterThan(20);
  expect(patient.thread).toMatchObject({ pings: 0, hangs: false });
});
