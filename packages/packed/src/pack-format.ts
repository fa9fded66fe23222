// A packer from what is particular about its format: the tensors of a module, their bytes, its configuration. What is the
// same for all (proofs, names, groups, the dtype of scales) is done here.
import { type DType, dtypeByName } from '@quern/blocks';
import { checkOptions, checkShape, checkWeight, columnsPerScale } from './pack-checks.ts';
import type { GroupedRows } from './packed-weight.ts';
import type { Making, PackedConfig, PackedModules, Packer, PackerLimits, PackOptions } from './packer.ts';
import { encodeScales } from './scales.ts';

/** A weight to be packed, and what follows from the options. */
export interface PackedLayout {
  readonly rows: number;
  readonly cols: number;
  /** Groups per row. */
  readonly groups: number;
  /** Of scales. */
  readonly scaleDType: DType;
}

/** A tensor of a module; `part` is the last part of its name. */
export type PartLayout = readonly [part: string, dtype: DType, shape: readonly number[]];

export interface PackFormat {
  readonly format: string;
  /** The first of `scaleDTypes` is the usual one. */
  readonly limits: PackerLimits;
  readonly usuallySymmetric: boolean;
  remark?(options: PackOptions): string | undefined;
  partsOf(layout: PackedLayout, options: PackOptions): readonly PartLayout[];
  /** The bytes of a proved weight by part; scales in f32 are still to be rounded to their dtype. */
  pack(
    weight: GroupedRows,
    layout: PackedLayout,
    options: PackOptions,
  ): Readonly<Record<string, Uint8Array | Float32Array>>;
  config(options: PackOptions, modules: PackedModules, making: Making): PackedConfig;
}

export function packerOf({ format, limits, partsOf, pack, config, ...rest }: PackFormat): Packer {
  const layoutOf = (rows: number, cols: number, options: PackOptions): PackedLayout => ({
    rows,
    cols,
    groups: cols / columnsPerScale(options, cols),
    scaleDType: dtypeByName(options.scaleDType ?? limits.scaleDTypes[0]),
  });
  return {
    ...rest,
    format,
    limits,
    scaleDType: dtypeByName(limits.scaleDTypes[0]),
    tensorsOf(name, shape, options) {
      checkShape(format, limits, name, shape, options);
      const module = name.slice(0, -'.weight'.length);
      return partsOf(layoutOf(shape[0], shape[1], options), options).map(([part, dtype, partShape]) => ({
        part,
        name: `${module}.${part}`,
        dtype,
        shape: partShape,
      }));
    },
    pack(weight, options) {
      checkWeight(format, limits, weight, options);
      const layout = layoutOf(weight.rows, weight.cols, options);
      return new Map(
        Object.entries(pack(weight, layout, options)).map(([part, content]) => [
          part,
          content instanceof Float32Array ? encodeScales(content, layout.scaleDType, part) : content,
        ]),
      );
    },
    config(options, modules, making) {
      checkOptions(format, limits, options);
      return config(options, modules, making);
    },
  };
}
