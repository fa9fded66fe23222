// Several streams as one, in the order in which their values come.

/** Values of `streams`, each with the index of its stream. Leaving the loop ends all of them. */
export async function* interleave<Value>(
  streams: readonly AsyncGenerator<Value>[],
): AsyncGenerator<{ index: number; value: Value }> {
  const [only] = streams;
  if (only && streams.length === 1) {
    // Waiting for several costs each token of the usual, single reply as much as all else that is done for it here.
    for await (const value of only) yield { index: 0, value };
    return;
  }
  const come: { index: number; result: IteratorResult<Value> | { failure: unknown } }[] = [];
  let wake = (): void => {};
  // Each stream tells of itself: a race of all of them would look at each for every value of one.
  const ask = (index: number): void => {
    const tell = (result: (typeof come)[number]['result']): void => {
      come.push({ index, result });
      wake();
    };
    streams[index]!.next().then(tell, (failure: unknown) => tell({ failure }));
  };
  let open = streams.length;
  try {
    for (const index of streams.keys()) ask(index);
    while (open > 0) {
      if (come.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      for (const { index, result } of come.splice(0)) {
        if ('failure' in result) throw result.failure;
        if (result.done) {
          open--;
          continue;
        }
        ask(index);
        yield { index, value: result.value };
      }
    }
  } finally {
    await Promise.all(streams.map((stream) => stream.return(undefined)));
  }
}
