// Rows that lie group by group in the checkpoint, every group with one piece of every part, and part by part in GGUF:
// G0q G0k G0v G1q … becomes G0q G1q … G0k … (`in_proj_qkvz` of Qwen3-Next, whose groups are key heads).
import type { Dimension } from '../arch/dimensions.ts';
import type { Change, Place } from './change.ts';
import { type Order, orderedRows } from './ordered.ts';

function grouped(rows: number, pieces: readonly number[]): Order {
  const group = pieces.reduce((sum, size) => sum + size, 0);
  const groups = rows / group;
  const before = pieces.map((_, i) => pieces.slice(0, i).reduce((sum, size) => sum + size, 0));
  const pieceAt = (index: number, factor: number) => before.findLastIndex((first) => index >= first * factor);
  return {
    stored: (row) => {
      const piece = pieceAt(row, groups);
      const within = row - before[piece]! * groups;
      return Math.floor(within / pieces[piece]!) * group + before[piece]! + (within % pieces[piece]!);
    },
    gguf: (row) => {
      const within = row % group;
      const piece = pieceAt(within, 1);
      return before[piece]! * groups + Math.floor(row / group) * pieces[piece]! + within - before[piece]!;
    },
  };
}

/** @param pieces rows of each part in a group */
export const partsOfGroups = (...pieces: readonly Dimension[]): Change =>
  orderedRows('parts from groups', (rows, { sizes }: Place) =>
    grouped(
      rows,
      pieces.map((dimension) => sizes[dimension]!),
    ),
  );
