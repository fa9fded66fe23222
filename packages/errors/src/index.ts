// The one error type that quern's packages throw on bad input. A message alone is not enough for a person who has a
// 70B checkpoint on disk: the error says which file, which tensor, which byte, and what to do about it.

/** Where the fault lies. All fields optional; give what is known. */
export interface ErrorPlace {
  /** Path or URL of the file. */
  file?: string;
  /** Name of the tensor. */
  tensor?: string;
  /** Byte offset in `file`. */
  offset?: number;
  /** What the user can do. One imperative sentence. */
  remedy?: string;
  cause?: unknown;
}

/**
 * An expected failure with a stable, testable code.
 *
 * `code` is kebab-case and names the cause (`gguf-bad-magic`, `tensor-missing`), one code per cause.
 */
export class QuernError extends Error {
  readonly code: string;
  readonly file?: string;
  readonly tensor?: string;
  readonly offset?: number;
  readonly remedy?: string;

  constructor(code: string, message: string, place: ErrorPlace = {}) {
    super(message, place.cause === undefined ? undefined : { cause: place.cause });
    this.name = 'QuernError';
    this.code = code;
    this.file = place.file;
    this.tensor = place.tensor;
    this.offset = place.offset;
    this.remedy = place.remedy;
  }

  /** One line for a person: message, then where, then the remedy. */
  describe(): string {
    const where = [
      this.file && `file ${this.file}`,
      this.tensor && `tensor ${this.tensor}`,
      this.offset !== undefined && `offset ${this.offset}`,
    ].filter(Boolean);
    return `${this.message}${where.length ? ` (${where.join(', ')})` : ''}${this.remedy ? ` ${this.remedy}` : ''}`;
  }

  /** The same as an object, for `--json`. */
  toJSON(): Record<string, unknown> {
    const { code, message, file, tensor, offset, remedy } = this;
    return { code, message, file, tensor, offset, remedy };
  }
}

export { nearest } from './nearest.ts';
