// A stored type as kernels see it: sizes and the WGSL that decodes it.
import type { DType } from '@quern/blocks';

export interface StoredType {
  readonly dtype: DType;
  /** Defines `decode32`, and `decode1` for plain types: packages/blocks/src/wgsl-decoders.ts. */
  readonly decoder: string;
  /** What the decoder finds in `table`. */
  readonly table?: Uint32Array;
  /** Defines `encode32`, or `encode1` for plain types, where the type has it: packages/blocks/src/wgsl-encoders.ts. */
  readonly encoder?: string;
  /** Defines `integers32`, where the type has it: packages/blocks/src/wgsl-integers.ts. */
  readonly integers?: string;
}

/** A snippet of blocks, which calls the memory `w`, for the operand of another name; its functions get the name in front. */
export function snippetFor(operand: string, snippet: string): string {
  const functions = [...snippet.matchAll(/\bfn (\w+)\(/g)].map(([, name]) => name!);
  return functions.reduce(
    (text, name) => text.replaceAll(new RegExp(`\\b${name}\\(`, 'g'), `${operand}_${name}(`),
    snippet.replaceAll(/\bw\[/g, `${operand}[`),
  );
}

/** Arguments of `decode32` for the 32 weights from column `c` on of the row at byte `row`. */
export function blockPlace({ dtype }: StoredType, row: string, c: string): string {
  const { blockSize, typeSize } = dtype;
  return blockSize === 1 ? `${row}, ${c}` : `${row} + ${c} / ${blockSize}u * ${typeSize}u, ${c} % ${blockSize}u`;
}
