// What can go wrong behind WebGPU's back, turned into errors that somebody sees: a lost device, a validation error, memory
// that the driver does not have, a wait without end.
import { QuernError } from '@quern/errors';

export class Faults {
  readonly #device: GPUDevice;
  #fatal: QuernError | undefined;
  #disposed = false;
  /** Rejects when the device is lost. */
  readonly #lost: Promise<never>;

  constructor(device: GPUDevice) {
    this.#device = device;
    this.#lost = device.lost.then(({ reason, message }) => {
      throw this.fail(
        new QuernError('device-lost', `The WebGPU device was lost (${reason}): ${message || 'no reason given'}.`, {
          remedy: 'Create a new device and load the model again.',
        }),
      );
    });
    this.#lost.catch(() => {});
  }

  /** From now on everything is refused with this error; the first one stays. */
  fail(error: QuernError): QuernError {
    this.#fatal ??= error;
    return this.#fatal;
  }

  dispose(): void {
    this.#disposed = true;
  }

  /** @throws QuernError `device-disposed`, or what made the device unusable */
  check(): void {
    if (this.#disposed) throw new QuernError('device-disposed', 'The webgpu device has been disposed.');
    if (this.#fatal) throw this.#fatal;
  }

  /** Starts to collect errors of the calls that follow. */
  watch(): void {
    this.#device.pushErrorScope('out-of-memory');
    this.#device.pushErrorScope('validation');
    this.#device.pushErrorScope('internal');
  }

  /** Ends `watch`; what it has caught becomes fatal, since results that depend on it are wrong. */
  async collect(): Promise<void> {
    const [internal, validation, memory] = [0, 1, 2].map(() => this.#device.popErrorScope());
    const [defect, outOfMemory] = [(await internal) ?? (await validation), await memory];
    if (outOfMemory)
      this.fail(
        new QuernError('device-out-of-memory', `The driver has no memory left: ${outOfMemory.message}`, {
          remedy: 'Give the device a smaller memoryBytes, or use a smaller model or context.',
        }),
      );
    if (defect)
      this.fail(
        new QuernError('device-failed', `WebGPU refused a command, a defect of quern or the driver: ${defect.message}`),
      );
  }

  /** The promise's value; rejects when the device is lost, and after `timeoutMs`. @throws QuernError */
  async within<T>(promise: Promise<T>, what: string, timeoutMs: number): Promise<T> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const text = `The WebGPU device did not finish ${what} within ${timeoutMs} ms.`;
        const remedy = 'Give a larger timeoutMs if the device is only slow, or use another one.';
        reject(this.fail(new QuernError('device-timeout', text, { remedy })));
      }, timeoutMs);
    });
    try {
      return await Promise.race([promise, late, this.#lost]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** After a wait was aborted: resolves once `device.lost` has had its turn, so that `check` names the loss. */
  async settle(): Promise<void> {
    await Promise.race([this.#lost.catch(() => {}), new Promise((resolve) => setTimeout(resolve, 100))]);
  }
}
