// --awq-scales: scales from a file, or found now and kept in one, folded into a model that is to be quantized.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import type { ModelView } from '@quern/checkpoint';
import { cpuDevice } from '@quern/runtime';
import { requireOutputFile } from '@quern/source';
import { bytesOf } from '../layer/layer-weights.ts';
import { findScales } from '../run/find-scales.ts';
import type { QuantizeHooks } from '../run/quantize-model.ts';
import { type CalibrationSource, calibrationSequences } from '../samples/calibration-sequences.ts';
import { type FoldedPair, foldScales } from './fold-scales.ts';
import { readScales } from './scales-file.ts';

export interface ScaledViewOptions extends QuantizeHooks {
  /**
   * A file of scales: taken as it is when it exists and `calibration` says nothing, else written, or proved to be of that
   * calibration. `true`: beside the output, computed if need be.
   */
  readonly scales: string | true;
  readonly output: string;
  readonly calibration: CalibrationSource;
}

/** Key of GGUF that tells which scales were folded in: a run that goes on compares it. */
const scalesKey = 'quern.awq_scales.sha256';

/** @throws QuernError those of `readScales`, `calibrationSequences`, `findScales` */
export async function withScales(view: ModelView, options: ScaledViewOptions): Promise<ModelView> {
  const { scales, output, onNote } = options;
  const path = scales === true ? `${output}.awq-scales.safetensors` : scales;
  const saysCalibration = Object.values(options.calibration).some((value) => value !== undefined);
  const isGiven = scales !== true && !saysCalibration && existsSync(scales);
  const pairs = isGiven ? (await readScales(path, view)).pairs : await computed(view, path, options);
  onNote?.(isGiven ? `AWQ scales of ${path} are folded in.` : `AWQ scales are folded in; they are kept in ${path}.`);
  const folded = foldScales(view, pairs);
  const metadata = new Map(folded.metadata).set(scalesKey, { type: 'string', value: hashOf(pairs) });
  return { ...folded, metadata };
}

async function computed(view: ModelView, path: string, options: ScaledViewOptions): Promise<readonly FoldedPair[]> {
  const { calibration, threads } = options;
  const inputs = new Set([...view.tensors.values()].map(({ file }) => file));
  if (!existsSync(path)) await requireOutputFile(path, { inputs, flag: '--awq-scales' });
  const sequences = await calibrationSequences(view, calibration);
  const device = await cpuDevice(threads === undefined ? {} : { threads });
  try {
    return await findScales(view, device, sequences, path, options);
  } finally {
    await device.dispose();
  }
}

function hashOf(pairs: readonly FoldedPair[]): string {
  const hash = createHash('sha256');
  for (const { prev, scales } of pairs) hash.update(`${prev} `).update(bytesOf(scales));
  return hash.digest('hex');
}
