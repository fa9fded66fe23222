// quern quantize --type awq, gptq, rtn: a checkpoint folder of packed weights.
import type { Prepared, QuantizeRequest, QuantizeSummary } from '@quern/awq';
import type { ModelView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import { requireOutputFolder } from '@quern/hf-writer';
import { modelName, type QuantizeFlagValues, quantizeFlagsGiven, type WriteFlagValues } from '@quern/kquant';
import { outputFolder } from '@quern/source';
import {
  type CommandContext,
  createProgress,
  formatBytes,
  formatDuration,
  formatTable,
  parseCount,
  printJson,
  printLine,
  printNote,
  progressMode,
} from '@quern/terminal';
import { type LayerFlagValues, type LayerType, strangeLayerFlags } from './layer-flags.ts';
import { openInput } from './open-input.ts';
import { calibrationOf } from './scaled-model.ts';

export interface LayerOptions extends LayerFlagValues, QuantizeFlagValues, WriteFlagValues {
  output?: string;
  calibration?: string;
  allowRequantize?: boolean;
  pre?: string;
}

/** @param ref a checkpoint folder, a hub id or a GGUF file */
export async function quantizeLayers(
  type: LayerType,
  ref: string,
  options: LayerOptions,
  context: CommandContext,
): Promise<undefined> {
  refuseStrangeFlags(type, options);
  const settings = settingsOf(type, options);
  // It brings the forward pass with it, which other types do without.
  const awq = await import('@quern/awq');
  const { mode, threads } = { mode: progressMode(options), threads: parseCount('--threads', options.threads, 1024) };
  const { force, dryRun } = options;
  const output = outputFolder(options.output, `${modelName(ref)}-${type}`);
  if (!dryRun) await requireOutputFolder(output, { force });
  const { view } = await openInput(ref, options, context);
  const startMs = performance.now();
  try {
    if (!options.allowRequantize) refuseQuantized(view);
    const inputs = new Set([...view.tensors.values()].map(({ file }) => file));
    if (!dryRun) await requireOutputFolder(output, { inputs, force });
    const sequences = type === 'rtn' ? [] : await awq.calibrationSequences(view, settings.calibration);
    const request: QuantizeRequest = { ...settings.request, sequences };
    const progress = createProgress({ title: type, unit: 'layers', mode });
    let told: Prepared['needs'] | undefined;
    const summary = await awq
      .quantizeModel(view, output, request, {
        ...{ threads, force, dryRun, ...context },
        onPreflight(needs) {
          told = needs;
          progress.note(describeNeeds(needs, sequences));
        },
        onNote: progress.note,
        onProgress: progress.update,
      })
      .finally(() => progress.finish());
    if (summary) report(summary, type, request, performance.now() - startMs, options);
    else if (options.json) printJson({ path: output, dryRun: true, ...told });
    return undefined;
  } finally {
    await view.close();
  }
}

function refuseStrangeFlags(type: LayerType, options: LayerOptions): void {
  const { shard, verify, strict, allowNonFinite, onOverflow } = options;
  const strange = [
    ...strangeLayerFlags(options, type),
    ...quantizeFlagsGiven(options),
    ...(shard !== undefined ? ['--shard'] : []),
    ...(verify !== undefined ? ['--verify'] : []),
    ...(strict ? ['--strict'] : []),
    ...(allowNonFinite ? ['--allow-non-finite'] : []),
    ...(onOverflow === 'inf' ? ['--on-overflow'] : []),
    ...(options.calibration !== undefined && type === 'rtn' ? ['--calibration'] : []),
  ];
  if (strange.length === 0) return;
  throw new QuernError('usage-not-for-type', `${strange[0]} means nothing with --type ${type}.`, {
    remedy: 'Drop it.',
  });
}

function settingsOf(type: LayerType, options: LayerOptions) {
  const bits = parseCount('--bits', options.bits, 8) ?? 4;
  const groupSize = parseCount('--group-size', options.groupSize, 1 << 16) ?? 128;
  const damp = options.damp === undefined ? 0.01 : Number(options.damp);
  if (!(damp > 0 && damp < 1))
    throw new QuernError('usage-bad-number', `--damp is ${options.damp}; it is a share between 0 and 1.`);
  const method =
    type === 'awq'
      ? ({ name: type, clip: options.clip !== false } as const)
      : type === 'gptq'
        ? ({ name: type, actOrder: !!options.descAct, damp } as const)
        : ({ name: type } as const);
  const format = options.format ?? (type === 'gptq' ? 'gptq' : 'awq');
  return {
    request: { format, bits, groupSize, symmetric: options.sym, method },
    calibration: calibrationOf(options),
  };
}

function refuseQuantized(view: ModelView): void {
  const quantized = [...view.tensors.values()].find(({ packed, dtype }) => packed || dtype.blockSize > 1);
  if (!quantized) return;
  const { name, file, packed, dtype } = quantized;
  throw new QuernError('refused-requantize', `The input is quantized already: ${packed?.format ?? dtype.name}.`, {
    file,
    tensor: name,
    remedy: 'Use the unquantized checkpoint; or accept what a second rounding loses with --allow-requantize.',
  });
}

function describeNeeds(needs: Prepared['needs'], sequences: readonly Int32Array[]): string {
  const { hostBytes, deviceBytes, seconds, outputBytes } = needs;
  const text = sequences.length === 0 ? '' : `${sequences.length} sequences of ${sequences[0]!.length} tokens; `;
  const time = seconds === 0 ? '' : `, about ${formatDuration(1000 * seconds)} on this machine`;
  return `${text}memory ${formatBytes(hostBytes)} + ${formatBytes(deviceBytes)} on the device; disk ${formatBytes(outputBytes)}${time}`;
}

function report(
  summary: QuantizeSummary,
  type: LayerType,
  { format, bits, groupSize }: QuantizeRequest,
  ms: number,
  { json }: LayerOptions,
): void {
  const { path, bytes, quantizedTensors, resumedBlocks, layers } = summary;
  const starved = layers.flatMap((layer) => layer.starved);
  const pairs = layers.flatMap(({ block, pairs: own }) =>
    own.map(({ prev, layers: readers, ratios, error, unscaledError }) => ({
      ...{ block, prev, layers: readers, ratios, error, unscaledError },
    })),
  );
  if (json) {
    const clips = layers.flatMap((layer) => layer.clips);
    const settings = { type, format, bits, groupSize };
    const counts = { quantizedTensors, resumedBlocks, seconds: ms / 1000 };
    printJson({ path, fileBytes: bytes, ...settings, ...counts, pairs, clips, starved });
    return;
  }
  if (pairs.length > 0) {
    const rows = pairs.map(({ layers: readers, ratios, error, unscaledError }) => [
      readers.map((name) => name.replace(/\.weight$/, '').replace(/^blk\.\d+\./, '')).join(' '),
      ratios.length === 1 ? String(ratios[0] ?? '-') : `${ratios.length} experts`,
      unscaledError.toExponential(3),
      error.toExponential(3),
    ]);
    const columns = [
      { header: 'scaled' },
      { header: 'ratio', align: 'right' },
      { header: 'error before', align: 'right' },
      { header: 'after', align: 'right' },
    ] as const;
    const withBlock = rows.map(([first, ...rest], i) => [`blk.${pairs[i]!.block} ${first}`, ...rest]);
    printLine(formatTable(columns, withBlock));
  }
  for (const { tensor, expert, tokens } of starved)
    printNote(`${tensor}: ${tokens} calibration tokens reached expert ${expert}; more text would help.`);
  printLine(
    `${path}: ${formatBytes(bytes)}, ${quantizedTensors} tensors in ${bits} bits, groups of ${groupSize}, ${formatDuration(ms)}`,
  );
}
