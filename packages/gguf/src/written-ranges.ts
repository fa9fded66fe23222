// Which bytes of a tensor have been written, as sorted ranges that do not touch.

export class WrittenRanges {
  private readonly ranges: { begin: number; end: number }[] = [];

  add(begin: number, end: number): void {
    if (begin === end) return;
    let first = this.ranges.length;
    // Most writes append, so look from the end.
    while (first > 0 && this.ranges[first - 1]!.end >= begin) first--;
    let merged = 0;
    for (let i = first; i < this.ranges.length && this.ranges[i]!.begin <= end; i++) {
      begin = Math.min(begin, this.ranges[i]!.begin);
      end = Math.max(end, this.ranges[i]!.end);
      merged++;
    }
    this.ranges.splice(first, merged, { begin, end });
  }

  /** True when every byte of `0…length` was written. */
  covers(length: number): boolean {
    const [only] = this.ranges;
    return length === 0 || (this.ranges.length === 1 && only!.begin === 0 && only!.end === length);
  }
}
