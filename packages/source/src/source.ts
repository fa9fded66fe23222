// Random-access bytes, wherever they are. Opening a 100 GB checkpoint must read only headers, so every reader in quern
// works on this interface and never on whole files.

/** A readable range of bytes of known size. */
export interface Source {
  /** Path or URL, for error messages. */
  readonly name: string;
  /** Total size in bytes. */
  readonly size: number;
  /**
   * Fills `target` entirely with the bytes at `offset`.
   * `target` may view shared memory (a worker's WebAssembly.Memory): the file source reads straight into it.
   * @throws QuernError `source-out-of-range` when `offset + target.length > size`, `source-changed` on a short read.
   */
  readInto(target: Uint8Array, offset: number): Promise<void>;
  /** Convenience: allocates and reads. */
  read(offset: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}
