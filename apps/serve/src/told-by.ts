// Work that tells how far it is, as a stream of what it tells.

/** At most one value for all that has come since the last was read; the end of the work is the end of the stream, and so is its failure. */
export async function* toldBy<State, Result>(
  work: (tell: (state: State) => void) => Promise<Result>,
): AsyncGenerator<State, Result> {
  let latest: { state: State } | undefined;
  let wake = (): void => {};
  let done = false;
  const working = work((state) => {
    latest = { state };
    wake();
  }).finally(() => {
    done = true;
    wake();
  });
  // Looked at below; until then a failure is not unhandled.
  working.catch(() => {});
  while (!done) {
    if (latest) {
      const { state } = latest;
      latest = undefined;
      yield state;
    } else await new Promise<void>((resolve) => (wake = resolve));
  }
  return working;
}
