// A loaded model whose weights can be given other types in place: a tensor is encoded as the file would hold it, laid on
// the device in that type, and computed with by the device's own kernels. A changed tensor takes the place of the loaded
// one, so memory does not grow; to take the change back, the tensor is read again.
import type { TranscodePool } from '@quern/blocks';
import type { ModelView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import { encodeTensor, type ImportanceSource, type TensorPlan } from '@quern/kquant';
import type { Model } from '@quern/models';

export class WeightSwap {
  readonly #model: Pick<Model, 'replaceWeight'>;
  readonly #view: ModelView;
  readonly #pool: TranscodePool;
  readonly #imatrix?: ImportanceSource;
  /** Name of the type of every changed tensor. */
  readonly #changed = new Map<string, string>();

  constructor(model: Pick<Model, 'replaceWeight'>, view: ModelView, pool: TranscodePool, imatrix?: ImportanceSource) {
    this.#model = model;
    this.#view = view;
    this.#pool = pool;
    this.#imatrix = imatrix;
  }

  /** What weights every column of the tensor's squared errors, [matrices, cols]. */
  async importanceOf(name: string): Promise<Float32Array | undefined> {
    return (await this.#imatrix?.importanceOf(name))?.values;
  }

  /** @throws QuernError `automix-not-finite`, those of encoding */
  async encode(plan: TensorPlan): Promise<Uint8Array> {
    const view = this.#view.tensors.get(plan.name)!;
    const importance = plan.importance === 'used' ? await this.importanceOf(plan.name) : undefined;
    const { bytes, report } = await encodeTensor(this.#pool, plan, view, importance);
    if (report.nonFinite > 0 || report.f16Overflows > 0)
      throw new QuernError('automix-not-finite', `${report.nonFinite + report.f16Overflows} weights are not finite.`, {
        file: view.file,
        tensor: plan.name,
        remedy: 'The checkpoint is damaged, or was stored in a type that is too narrow.',
      });
    return bytes;
  }

  /** Makes the model compute with this tensor in its planned type. */
  async set(plan: TensorPlan): Promise<void> {
    const { name, to } = plan;
    const view = this.#view.tensors.get(name)!;
    if ((this.#changed.get(name) ?? view.dtype.name) === to.name) return;
    if (to === view.dtype) return this.restore(name);
    this.#model.replaceWeight(name, { dtype: to.name, bytes: await this.encode(plan) });
    this.#changed.set(name, to.name);
  }

  /** As it was loaded. */
  async restore(name: string): Promise<void> {
    if (!this.#changed.delete(name)) return;
    const view = this.#view.tensors.get(name)!;
    const bytes = new Uint8Array(view.rows * view.rowBytes);
    await view.readRows(0, view.rows, bytes);
    this.#model.replaceWeight(name, { dtype: view.dtype.name, bytes });
  }

  async restoreAll(): Promise<void> {
    for (const name of [...this.#changed.keys()]) await this.restore(name);
  }
}
