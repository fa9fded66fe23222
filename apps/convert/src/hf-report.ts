// What a person (or, with --json, a program) is told about a checkpoint that is to be written, and about one that was.

import type { PlainPlan, PlainWritten } from '@quern/hf-writer';
import { formatBytes, formatCount, formatDuration, formatTable } from '@quern/terminal';

/** Tensors by what they are and what they become. */
function byTypes({ tensors }: PlainPlan) {
  const counts = new Map<string, { from: string; to: string; tensors: number; bytes: number }>();
  for (const { view, to, bytes } of tensors) {
    const from = view.packed?.format ?? view.dtype.name;
    const count = counts.get(`${from} ${to.name}`) ?? { from, to: to.name, tensors: 0, bytes: 0 };
    counts.set(`${from} ${to.name}`, { ...count, tensors: count.tensors + 1, bytes: count.bytes + bytes });
  }
  return [...counts.values()];
}

export const plainSummary = (plan: PlainPlan) => ({
  type: plan.type,
  tensorCount: plan.tensors.length,
  parameters: plan.weights,
  dataBytes: plan.bytes,
  byType: byTypes(plan),
  files: plan.files,
});

/** What `--json` adds once the folder is written. */
export const writtenFacts = ({ bytes, ms, ...facts }: PlainWritten): object => ({
  ...facts,
  fileBytes: bytes,
  seconds: ms / 1000,
});

export function describePlainPlan(plan: PlainPlan): string {
  const files = plan.files.length === 1 ? plan.files[0] : `${plan.files.length} files`;
  const table = formatTable(
    [
      { header: 'from' },
      { header: 'to' },
      { header: 'tensors', align: 'right' },
      { header: 'tensor data', align: 'right' },
    ],
    byTypes(plan).map(({ from, to, tensors, bytes }) => [from, to, String(tensors), formatBytes(bytes)]),
  );
  return `${plan.type}: ${formatCount(plan.weights)} weights, ${formatBytes(plan.bytes)} of tensor data in ${files}\n${table}`;
}

/** One row per tensor: what `--dry-run` prints. */
export const describePlainTensors = ({ tensors }: PlainPlan): string =>
  formatTable(
    [
      { header: 'tensor' },
      { header: 'shape', lesser: 2 },
      { header: 'from', lesser: 1 },
      { header: 'to' },
      { header: 'tensor data', align: 'right' },
    ],
    tensors.map(({ view, to, bytes }) => [
      ...[view.name, view.shape.join('x'), view.packed?.format ?? view.dtype.name, to.name, formatBytes(bytes)],
    ]),
  );

export function describeWritten({ path, bytes, exact, rounded, resumedTensors, ms }: PlainWritten): string {
  const values =
    rounded.tensors === 0
      ? `all values of ${exact.tensors} tensors exact`
      : `${formatCount(rounded.weights)} values in ${rounded.tensors} tensors rounded, ${formatCount(exact.weights)} exact`;
  const earlier = resumedTensors === 0 ? '' : ` (${resumedTensors} tensors were written by an earlier run)`;
  return `${values}${earlier}\n${path}: ${formatBytes(bytes)}, in ${formatDuration(ms)}`;
}
