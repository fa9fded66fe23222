// A model in several files that stays in as many (llama-quantize --keep-split): each part holds the tensors that it
// had, the first one all metadata besides.
import type { GgufMetadata } from '@quern/gguf';
import { completePlan, type Plan, sourceNameOf } from './plan.ts';

/** @param fileOf the input file that a tensor lies in, by its name there; tensors of one file follow each other. */
export function splitPlan(plan: Plan, fileOf: (sourceName: string) => string): Plan[] {
  const files = [...new Set(plan.tensors.map((tensor) => fileOf(sourceNameOf(tensor))))];
  if (files.length === 1) return [plan];
  return files.map((file, no) => {
    const metadata: GgufMetadata = new Map(no === 0 ? plan.metadata : []);
    metadata.set('split.no', { type: 'uint16', value: no });
    metadata.set('split.count', { type: 'uint16', value: files.length });
    metadata.set('split.tensors.count', { type: 'int32', value: plan.tensors.length });
    const tensors = plan.tensors.filter((tensor) => fileOf(sourceNameOf(tensor)) === file);
    return { ...completePlan(plan.fileType, metadata, tensors), imatrix: plan.imatrix };
  });
}

/** `out.gguf` in parts: `out-00001-of-00003.gguf` … (llama.cpp `llama_split_path`). */
export const splitName = (path: string, no: number, count: number): string =>
  `${path.replace(/\.gguf$/, '')}-${fiveDigits(no + 1)}-of-${fiveDigits(count)}.gguf`;

const fiveDigits = (n: number): string => String(n).padStart(5, '0');
