// The weights of a created model as a smaller type, by the writer of `quern quantize`: rows at a time, into a file that becomes a blob.
import { mkdir, rm } from 'node:fs/promises';
import type { ModelView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import { fileTypeNamed, type Plan, planTypes, refuseUnwritable, writeModel } from '@quern/kquant';
import { openModel } from '@quern/models';
import { adoptBlob, unfinishedPath } from '@quern/source';
import { ApiError } from '../api-error.ts';
import { toldBy } from '../told-by.ts';
import type { CreateState } from './create-request.ts';
import { faultOf } from './field-fault.ts';

/**
 * @param path a GGUF file
 * @param dir of the blobs
 * @returns the digest of what was written
 * @throws ApiError 400 of `quantize`, QuernError `disk-full`, `write-…`; nothing stays behind
 */
export async function* quantized(
  path: string,
  type: string,
  dir: string,
  signal: AbortSignal,
): AsyncGenerator<CreateState, string> {
  const view = await openModel(path);
  const output = unfinishedPath(dir);
  const left = new Set<string>([output]);
  try {
    const plan = quantizingPlan(view, type);
    const status = `quantizing model to ${plan.fileType}`;
    await mkdir(dir, { recursive: true });
    yield* toldBy<CreateState, unknown>((tell) =>
      writeModel(view, plan, output, {
        signal,
        onUnfinished: (...paths) => paths.forEach((one) => void left.add(one)),
        onProgress: ({ done, total, tensor }) => tell({ status, digest: tensor, total, completed: done }),
      }),
    );
    yield { status: 'verifying conversion' };
    return await adoptBlob(dir, output, signal);
  } finally {
    await view.close();
    for (const file of left) await rm(file, { force: true });
  }
}

/** @throws ApiError 400 of `quantize` */
export function quantizingPlan(view: ModelView & { readonly expected?: unknown }, type: string): Plan {
  if (view.expected !== undefined)
    throw new ApiError(
      400,
      'source_not_gguf',
      'quantize: the model is a checkpoint folder; quern convert makes a GGUF of it.',
      {
        param: 'quantize',
      },
    );
  try {
    const plan = planTypes(view, fileTypeNamed(type).name);
    refuseUnwritable(plan, view.path);
    return plan;
  } catch (error) {
    if (!(error instanceof QuernError)) throw error;
    const remedy = error.code === 'usage-unknown-type' ? error.remedy : 'The command quern quantize has more ways.';
    return faultOf('quantize')(new QuernError(error.code, error.message, { remedy }));
  }
}
