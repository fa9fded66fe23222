// The shapes of objects, as engines of JavaScript keep them: an object with the keys of an earlier one, in their order, costs a fraction
// of one that is the first of its kind.

/** Shape 0 has no keys. */
interface ShapeCounter {
  /** How many shapes there are, the empty one not counted. */
  readonly count: number;
  /** The shape of an object of `shape` with one more key. */
  after(shape: number, key: string): number;
}

export function shapeCounter(): ShapeCounter {
  const following: (Map<string, number> | undefined)[] = [undefined];
  return {
    get count() {
      return following.length - 1;
    },
    after(shape, key) {
      const next = (following[shape] ??= new Map());
      let found = next.get(key);
      if (found === undefined) {
        found = following.push(undefined) - 1;
        next.set(key, found);
      }
      return found;
    },
  };
}
