// How the work of attention is divided.
// - Some tokens that follow each other in the batch and are of one sequence share the keys and values they read, up to as
//   many as a workgroup holds queries of (scores.wgsl.ts); each other token is worked on by itself.
// - Few tokens of a long text would be the work of few workgroups: positions are then divided into spans, each an item of its
//   own, whose results a second shader joins. Caches that are cut into several buffers are parts in the same way: a dispatch
//   sees the cells of one buffer. So are sinks: the shader that scores has no binding left for them.
import type { Dispatch, Rows, WgslCall, WgslKernel } from '../../webgpu/kernel.ts';
import { inParts } from '../../webgpu/rows.ts';
import { joiningSpans } from './join.wgsl.ts';
import { type PartKind, scoring } from './scores.wgsl.ts';
import { type AttentionShape, shapeFor } from './tile-shape.ts';
import { lastPositions, visiblePositions } from './visible.ts';

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

/** Neighbours of one sequence, and stretches of other tokens; where tokens look forward, each run has one end. */
function runsOf({ params, indices }: WgslCall<'attention'>, { first, count, of }: Rows): Run[] {
  const seq = indices('seq');
  const end = first + count;
  const runs: Run[] = [];
  for (let from = first; from < end; ) {
    let to = from + 1;
    while (to < end && seq[to] === seq[from]) to++;
    const sameSequence = params.causal === false || to - from >= SHARING_TOKENS;
    const run = { rows: { first: from, count: to - from, of }, sameSequence };
    const last = runs.at(-1);
    if (last && !last.sameSequence && !run.sameSequence)
      runs[runs.length - 1] = { ...last, rows: { ...last.rows, count: to - last.rows.first } };
    else runs.push(run);
    from = to;
  }
  return runs;
}

function dispatchesOf(call: WgslCall<'attention'>, shape: AttentionShape, tokens: Rows): Dispatch[] {
  const { heads, window = UNBOUNDED, chunk = UNBOUNDED } = call.params;
  const valueDim = call.dims.valueDim!;
  const sinks = call.has('sinks');
  const buffers = call.ranges(call.dims.cells!, ['kCache', 'vCache']);
  const jobs = Math.ceil(tokens.count / shape.tokens) * (heads / shape.heads);
  const spans = shape.team.lanes === 1 ? 1 : spansOf(call, tokens, jobs);
  const kind: PartKind = buffers.length > 1 ? 'cut' : spans > 1 || sinks ? 'parted' : 'whole';
  const parts = buffers.length * spans;
  const scratchBytes = kind === 'whole' ? 0 : 4 * tokens.count * heads * parts * (valueDim + 2);
  if (scratchBytes > call.capabilities.maxBindingBytes && tokens.count > 1)
    return inParts(tokens, Math.ceil(tokens.count / 2)).flatMap((some) => dispatchesOf(call, shape, some));
  const shader = scoring(shape, kind);
  const scores = buffers.map((cells, i) => ({
    shader,
    rows: { q: tokens, seq: tokens, pos: tokens, y: tokens, kCache: cells, vCache: cells },
    fields: {
      ...{ T: tokens.count, window, chunk, parts, spans },
      ...{ first_part: i * spans, first_cell: cells.first, cell_count: cells.count },
      last: shape.causal ? 0 : lastOf(call, tokens),
    },
    items: jobs * spans,
    scratchBytes,
  }));
  if (kind === 'whole') return scores;
  const items = tokens.count * heads * valueDim;
  const joining = joiningSpans(valueDim, sinks);
  return [...scores, { shader: joining, rows: { y: tokens }, fields: { parts }, items, scratchBytes }];
}

/** The last position that the batch has of these tokens' sequence. */
function lastOf({ indices }: WgslCall<'attention'>, tokens: Rows): number {
  const seq = indices('seq');
  return lastPositions(seq, indices('pos')).get(seq[tokens.first]!)!;
}

/** Into how many spans of positions a job's work is divided. */
function spansOf({ params, indices }: WgslCall<'attention'>, { first, count }: Rows, jobs: number): number {
  const visible = visiblePositions(params, indices('seq'), indices('pos'));
  let longest = 0;
  for (let t = first; t < first + count; t++) longest = Math.max(longest, visible(t).last - visible(t).first + 1);
  return Math.min(Math.ceil(longest / POSITIONS_PER_SPAN), Math.ceil(WANTED_WORKGROUPS / jobs), MAX_SPANS);
}
