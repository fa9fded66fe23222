// What a person (or, with --json, a program) is told about a plan and about the file written by it.
import { formatBits, formatBytes, formatCount, formatDuration, formatTable } from '@quern/terminal';
import { countFidelity, type Fidelity } from '../plan/fidelity.ts';
import type { Plan } from '../plan/plan.ts';
import type { TensorVerdict } from '../verify/verify-model.ts';
import type { WriteResult } from '../write/write-model.ts';

/** The same facts as `describePlan`, as data, in the words of docs/json.md. */
export function planSummary(plan: Plan) {
  const { weights, storedBytes, bytesOut, bitsPerWeight, byType } = plan.totals;
  return {
    fileType: plan.fileType,
    tensorCount: plan.tensors.length,
    parameters: weights,
    sourceDataBytes: storedBytes,
    dataBytes: bytesOut,
    bitsPerWeight,
    byType,
    fidelity: countFidelity(plan.tensors),
    importance: plan.totals.importance,
    fallbacks: plan.tensors.flatMap(({ name, to, fallback }) =>
      fallback ? [{ tensor: name, wanted: fallback.wanted, got: to.name, reason: fallback.reason }] : [],
    ),
  };
}

/** Types, sizes and every fallback, as text. */
export function describePlan(plan: Plan): string {
  const { weights, storedBytes, bytesOut, bitsPerWeight, byType, importance } = plan.totals;
  const histogram = formatTable(
    [{ header: 'type' }, { header: 'tensors', align: 'right' }, { header: 'tensor data', align: 'right' }],
    byType.map(({ type, tensors, bytes }) => [type, String(tensors), formatBytes(bytes)]),
  );
  const fallbacks = groupedFallbacks(plan);
  return [
    `${plan.fileType}: ${formatCount(weights)} weights, ${formatBytes(storedBytes)} -> ${formatBytes(bytesOut)}, ${formatBits(bitsPerWeight)} (tensor data)`,
    histogram,
    ...packedLines(plan),
    ...(fallbacks.length === 0
      ? []
      : [`${plan.totals.fallbacks} of ${plan.tensors.length} tensors fell back to another type:`, ...fallbacks]),
    ...(importance.used > 0 ? [`importance matrix: used for ${importance.used} tensors`] : []),
    ...(importance.missing > 0
      ? [`${importance.missing} tensors are not in the importance matrix: ${named(plan)}`]
      : []),
  ].join('\n');
}

const fidelityWords: Readonly<Record<Fidelity, string>> = {
  copied: 'copied byte for byte',
  'same-codes': 'same codes and values',
  'scales-rounded': 'same codes, scales rounded to F16',
  'same-values': 'same values in another type',
  rounded: 'rounded to fewer bits',
  quantized: 'quantized',
  requantized: 'requantized: rounded for the second time',
};

/** What becomes of the weights, where the input has packed ones. */
function packedLines({ tensors }: Plan): string[] {
  const formats = [...new Set(tensors.flatMap(({ packed }) => packed?.format ?? []))];
  if (formats.length === 0) return [];
  const counts = Object.entries(countFidelity(tensors)) as [Fidelity, number][];
  return [
    `from ${formats.join(', ')}:`,
    ...counts.map(([what, count]) => `  ${count} ${count === 1 ? 'tensor' : 'tensors'} ${fidelityWords[what]}`),
  ];
}

/** The first tensors that the importance matrix does not know. */
function named({ tensors }: Plan): string {
  const names = tensors.filter(({ importance }) => importance === 'missing').map(({ name }) => name);
  return names.length > 2 ? `${names.slice(0, 2).join(', ')} and ${names.length - 2} more` : names.join(', ');
}

/** Tensors that fell back for the same reason on one line, since all layers of a model usually do. */
function groupedFallbacks(plan: Plan): string[] {
  const groups = new Map<string, string[]>();
  for (const { name, to, fallback } of plan.tensors) {
    if (!fallback) continue;
    const what = `${fallback.wanted} became ${to.name}, ${fallback.reason}`;
    groups.set(what, [...(groups.get(what) ?? []), name]);
  }
  return [...groups].map(([what, names]) => {
    const more = names.length > 2 ? ` and ${names.length - 2} more` : '';
    return `  ${what}: ${names.slice(0, 2).join(', ')}${more}`;
  });
}

const importanceNote = { used: '; importance', needed: '; needs importance', missing: '; no importance' } as const;

/** One row per tensor: what `--dry-run` prints. */
export function describeTensors(plan: Plan): string {
  return formatTable(
    [
      { header: 'tensor' },
      { header: 'shape', lesser: 2 },
      { header: 'from', lesser: 1 },
      { header: 'to' },
      { header: 'tensor data', align: 'right' },
      { header: 'bpw', align: 'right', lesser: 3 },
      { header: 'rule' },
    ],
    plan.tensors.map(({ name, shape, from, via, to, bytes, rule, fallback, importance, packed }) => [
      name,
      shape.join('x'),
      packed?.format ?? (via ? `${from.name} as ${via.name}` : from.name),
      to.name,
      formatBytes(bytes),
      ((to.typeSize * 8) / to.blockSize).toFixed(2),
      (fallback ? `${rule} (${fallback.wanted}: ${fallback.reason})` : rule) +
        (importance ? importanceNote[importance] : ''),
    ]),
  );
}

/** One row per tensor that is not a copy: what `--verify` prints. */
export function describeVerdicts(verdicts: readonly TensorVerdict[]): string {
  const compared = verdicts.filter(({ from, to }) => from !== to);
  const copies = verdicts.length - compared.length;
  const table = formatTable(
    [
      { header: 'tensor' },
      { header: 'from' },
      { header: 'to' },
      { header: 'relative RMSE', align: 'right' },
      { header: 'largest error', align: 'right', lesser: 2 },
      { header: 'cosine', align: 'right', lesser: 1 },
      { header: 'not finite', align: 'right' },
    ],
    compared.map(({ tensor, from, to, relativeRmse, largestError, cosine, nonFinite }) => [
      ...[tensor, from, to, relativeRmse.toFixed(6), largestError.toPrecision(3), cosine.toFixed(6), String(nonFinite)],
    ]),
  );
  return `${table}\n${copies} more tensors are copies, equal byte for byte`;
}

/** The line below a finished file. */
export function describeWritten(result: WriteResult): string {
  if (result.part) return `${result.path}: ${formatBytes(result.fileBytes)}, a part, in ${formatDuration(result.ms)}`;
  return `${result.path}: ${formatBytes(result.fileBytes)}, in ${formatDuration(result.ms)}`;
}
