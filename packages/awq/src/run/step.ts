/** The device computes on this thread: signals and timers of the process get their turn between two steps. */
export const stepOf = (signal: AbortSignal | undefined) => async (): Promise<void> => {
  await new Promise((resolve) => setImmediate(resolve));
  signal?.throwIfAborted();
};
