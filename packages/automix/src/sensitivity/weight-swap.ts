// A loaded model whose weights can be given other types in place: a tensor is encoded as the file would hold it, laid on
// the device in that type, and computed with by the device's own kernels. The loaded weight stays where it is, so taking
// the change back costs nothing; memory is that of the model and of what is replaced.
import type { TranscodePool } from '@quern/blocks';
import type { ModelView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import { encodeTensor, type ImportanceSource, type TensorPlan } from '@quern/kquant';
import type { Model } from '@quern/models';
import type { Tensor } from '@quern/runtime';

export class WeightSwap {
  readonly #model: Model;
  readonly #view: ModelView;
  readonly #pool: TranscodePool;
  readonly #imatrix?: ImportanceSource;
  readonly #replaced = new Map<string, { readonly type: string; readonly tensor: Tensor }>();

  constructor(model: Model, view: ModelView, pool: TranscodePool, imatrix?: ImportanceSource) {
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

  /** Makes the model compute with this tensor in its planned type; one of the stored type is the loaded weight itself. */
  async set(plan: TensorPlan, encoded?: Uint8Array): Promise<void> {
    const { name, to, shape } = plan;
    if (this.#replaced.get(name)?.type === to.name) return;
    this.restore(name);
    if (to === this.#view.tensors.get(name)!.dtype) return;
    const bytes = encoded ?? (await this.encode(plan));
    const { device } = this.#model;
    const tensor = device.alloc(to.name, shape, `${name} as ${to.name}`);
    this.#replaced.set(name, { type: to.name, tensor });
    device.write(tensor, bytes);
    this.#model.replaceWeight(name, tensor);
  }

  restore(name: string): void {
    const replaced = this.#replaced.get(name);
    if (!replaced) return;
    this.#model.replaceWeight(name);
    this.#model.device.free(replaced.tensor);
    this.#replaced.delete(name);
  }

  restoreAll(): void {
    for (const name of [...this.#replaced.keys()]) this.restore(name);
  }
}
