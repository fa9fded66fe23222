// The weights of a created model as a smaller type, by the writer of `quern quantize`: rows at a time, into a file that becomes a blob.
import { mkdir, rm, stat } from 'node:fs/promises';
import { type ModelView, withProvedForms } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import { fileTypeNamed, type Plan, planConversion, planTypes, refuseUnwritable, writeModel } from '@quern/kquant';
import { openModel } from '@quern/models';
import { adoptBlob, unfinishedPath } from '@quern/source';
import { toldBy } from '../told-by.ts';
import type { CreateState } from './create-request.ts';
import { faultOf } from './field-fault.ts';

/**
 * @param path a GGUF file or a checkpoint folder
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
    const { model, plan } = await quantizingPlan(view, type);
    const status = `quantizing model to ${plan.fileType}`;
    await mkdir(dir, { recursive: true });
    yield* toldBy<CreateState, unknown>((tell) =>
      writeModel(model, plan, output, {
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

/**
 * What is to be written, of a checkpoint as if its conversion had been written first: the same bytes as by both commands.
 * @throws ApiError 400 of `quantize`
 */
export async function quantizingPlan(view: ModelView, type: string): Promise<{ model: ModelView; plan: Plan }> {
  try {
    const isCheckpoint = (await stat(view.path)).isDirectory();
    const model = isCheckpoint ? await withProvedForms(view) : view;
    const plan = planTypes(model, fileTypeNamed(type).name, {
      converted: isCheckpoint ? planConversion(model, 'auto') : undefined,
    });
    refuseUnwritable(plan, view.path);
    return { model, plan };
  } catch (error) {
    if (!(error instanceof QuernError)) throw error;
    const remedy = error.code === 'usage-unknown-type' ? error.remedy : 'The command quern quantize has more ways.';
    return faultOf('quantize')(new QuernError(error.code, error.message, { remedy }));
  }
}
