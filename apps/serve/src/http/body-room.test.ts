// Room for bodies: in turn, back when they go, and never for one that has left.
import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { BodyRoom } from './body-room.ts';

const { signal } = new AbortController();

/** Whether it has been let in by now. */
async function isInside(entering: Promise<unknown>): Promise<boolean> {
  let inside = false;
  void entering.then(
    () => (inside = true),
    () => {},
  );
  await setImmediate();
  return inside;
}

test('bodies enter in turn, as far as there is room', async () => {
  const room = new BodyRoom(10);
  const first = await room.enter(6, signal);
  const second = room.enter(5, signal);
  const third = room.enter(1, signal);
  expect(await isInside(second)).toBe(false);
  expect(await isInside(third)).toBe(false);
  // What has come is less than what it might have been.
  first.bytes = 5;
  first.complete();
  expect(await isInside(second)).toBe(true);
  expect(await isInside(third)).toBe(false);
  first.leave();
  expect(await isInside(third)).toBe(true);
  (await second).leave();
  (await third).leave();
  expect(await isInside(room.enter(10, signal))).toBe(true);
});

test('who leaves the queue lets the next one in', async () => {
  const room = new BodyRoom(10);
  await room.enter(6, signal);
  const leaving = new AbortController();
  const second = room.enter(10, leaving.signal);
  const third = room.enter(4, signal);
  expect(await isInside(third)).toBe(false);
  leaving.abort(new Error('gone'));
  await expect(second).rejects.toThrow('gone');
  expect(await isInside(third)).toBe(true);
});

test('who sends slowly lends out its room while others wait, and goes on behind them', async () => {
  const room = new BodyRoom(2 ** 20);
  const senders = Array.from({ length: 2 }, () => {
    const told: string[] = [];
    return { told, pause: () => void told.push('pause'), resume: () => void told.push('resume') };
  });
  const slow = await Promise.all(senders.map(() => room.enter(2 ** 19, signal)));
  for (const [at, place] of slow.entries()) {
    place.sender = senders[at]!;
    place.bytes = 100;
  }
  const quick = await room.enter(2 ** 20 - 1000, signal);
  expect(senders.map(({ told }) => told)).toEqual([['pause'], ['pause']]);
  const another = room.enter(2 ** 20 - 1000, signal);
  quick.complete();
  quick.leave();
  // It has not begun, so it goes before those that have.
  (await another).leave();
  expect(senders.map(({ told }) => told)).toEqual([
    ['pause', 'resume'],
    ['pause', 'resume'],
  ]);
  for (const place of slow) place.leave();
  expect(await isInside(room.enter(2 ** 20, signal))).toBe(true);
});
