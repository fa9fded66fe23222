// How the work of attention is divided.
// - Some tokens that follow each other in the batch and are of one sequence share the keys and values they read, up to as
//   many as a workgroup holds queries of (scores.wgsl.ts); each other token is worked on by itself.
// - Few tokens of a long text would be the work of few workgroups: positions are then divided into spans, each an item of its
//   own, whose results a second shader joins. Caches that are cut into several buffers are parts in the same way: a dispatch
//   sees the cells of one buffer.
import type { Dispatch, Rows, WgslCall, WgslKernel } from '../../webgpu/kernel.ts';
import { inParts } from '../../webgpu/rows.ts';
import { type AttentionShape, joiningSpans, type PartKind, scoring } from './scores.wgsl.ts';
import { shapeFor } from './tile-shape.ts';

const UNBOUNDED = 0x7fffffff;
/** Fewer tokens of one sequence gain less than a dispatch of their own costs. */
const SHARING_TOKENS = 4;
/** Fewer positions are not worth a span, nor are more workgroups than keep a large GPU busy. */
const POSITIONS_PER_SPAN = 64;
const WANTED_WORKGROUPS = 256;
const MAX_SPANS = 64;

export const attentionWgsl: WgslKernel<'attention'> = (call) => {
  const { dims, ranges } = call;
  const alone = shapeFor(call, 1);
  return ranges(dims.T!, ['q', 'seq', 'pos', 'y']).flatMap((tokens) =>
    runsOf(call, tokens).flatMap((run) => {
      const shape = run.sameSequence ? shapeFor(call, run.rows.count) : alone;
      return dispatchesOf(call, shape, run.rows);
    }),
  );
};

interface Run {
  readonly rows: Rows;
  /** Whether the tokens may share what they read. */
  readonly sameSequence: boolean;
}

/** Neighbours of one sequence, and stretches of other tokens. */
function runsOf({ indices }: WgslCall<'attention'>, { first, count, of }: Rows): Run[] {
  const seq = indices('seq');
  const end = first + count;
  const runs: Run[] = [];
  for (let from = first; from < end; ) {
    let to = from + 1;
    while (to < end && seq[to] === seq[from]) to++;
    const run = { rows: { first: from, count: to - from, of }, sameSequence: to - from >= SHARING_TOKENS };
    const last = runs.at(-1);
    if (last && !last.sameSequence && !run.sameSequence)
      runs[runs.length - 1] = { ...last, rows: { ...last.rows, count: to - last.rows.first } };
    else runs.push(run);
    from = to;
  }
  return runs;
}

function dispatchesOf(call: WgslCall<'attention'>, shape: AttentionShape, tokens: Rows): Dispatch[] {
  const { heads, headDim, window = UNBOUNDED } = call.params;
  const buffers = call.ranges(call.dims.cells!, ['kCache', 'vCache']);
  const jobs = Math.ceil(tokens.count / shape.tokens) * (heads / shape.heads);
  const spans = shape.team.lanes === 1 ? 1 : spansOf(call, tokens, jobs);
  const kind: PartKind = buffers.length > 1 ? 'cut' : spans > 1 ? 'parted' : 'whole';
  const parts = buffers.length * spans;
  const scratchBytes = kind === 'whole' ? 0 : 4 * tokens.count * heads * parts * (headDim + 2);
  if (scratchBytes > call.capabilities.maxBindingBytes && tokens.count > 1)
    return inParts(tokens, Math.ceil(tokens.count / 2)).flatMap((some) => dispatchesOf(call, shape, some));
  const shader = scoring(shape, kind);
  const scores = buffers.map((cells, i) => ({
    shader,
    rows: { q: tokens, seq: tokens, pos: tokens, y: tokens, kCache: cells, vCache: cells },
    fields: {
      ...{ T: tokens.count, window, parts, spans },
      ...{ first_part: i * spans, first_cell: cells.first, cell_count: cells.count },
    },
    items: jobs * spans,
    scratchBytes,
  }));
  if (kind === 'whole') return scores;
  const items = tokens.count * heads * headDim;
  return [...scores, { shader: joiningSpans(headDim), rows: { y: tokens }, fields: { parts }, items, scratchBytes }];
}

/** Into how many spans of positions a job's work is divided. */
function spansOf({ params, indices }: WgslCall<'attention'>, { first, count }: Rows, jobs: number): number {
  const { window = UNBOUNDED } = params;
  const positions = indices('pos').subarray(first, first + count);
  const longest = positions.reduce((most, pos) => Math.max(most, Math.min(pos + 1, window)), 0);
  return Math.min(Math.ceil(longest / POSITIONS_PER_SPAN), Math.ceil(WANTED_WORKGROUPS / jobs), MAX_SPANS);
}
