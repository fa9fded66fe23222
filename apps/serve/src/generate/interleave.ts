// Several streams as one, in the order in which their values come.

/** Values of `streams`, each with the index of its stream. Leaving the loop ends all of them. */
export async function* interleave<Value>(
  streams: readonly AsyncGenerator<Value>[],
): AsyncGenerator<{ index: number; value: Value }> {
  const [only] = streams;
  if (only && streams.length === 1) {
    // Racing costs each token of the usual, single reply as much as all else that is done for it here.
    for await (const value of only) yield { index: 0, value };
    return;
  }
  const next = (index: number) => streams[index]!.next().then((result) => ({ index, result }));
  const pending = new Map(streams.map((_, index) => [index, next(index)]));
  try {
    while (pending.size > 0) {
      const { index, result } = await Promise.race(pending.values());
      if (result.done) {
        pending.delete(index);
        continue;
      }
      pending.set(index, next(index));
      yield { index, value: result.value };
    }
  } finally {
    for (const settling of pending.values()) settling.catch(() => {});
    await Promise.all([...pending.keys()].map((index) => streams[index]!.return(undefined)));
  }
}
