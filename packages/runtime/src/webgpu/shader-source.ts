// Writes a shader: its interface (parameters, bindings, accessors, entry point) is generated from the op's spec.
import type { Op, Operand } from '../ops/op.ts';
import type { ShaderParts } from './kernel.ts';

/** Bytes of one set of parameters: the alignment that WebGPU asks of dynamic uniform offsets. */
export const PARAMS_BYTES = 256;

export interface Binding {
  readonly operand: string;
  readonly writable: boolean;
  /** Bytes that `p.<operand>_base` counts in: numbers of F32 and I32, bytes of weights. */
  readonly baseUnit: 1 | 4;
}

/** A parameter: where its value comes from, and whether it is stored as a float. */
export interface Field {
  readonly name: string;
  readonly float: boolean;
}

export interface ComposedShader {
  readonly source: string;
  /** In binding order; scratch memory, if any, comes after them. */
  readonly bindings: readonly Binding[];
  readonly usesScratch: boolean;
  /** Bound after scratch memory, if any. */
  readonly table?: Uint32Array;
  /** After `items` and one base per binding. */
  readonly fields: readonly Field[];
  readonly itemsPerWorkgroup: number;
}

/** @param inPlace inputs that are the output's very memory */
export function composeShader(op: Op, parts: ShaderParts, inPlace: ReadonlySet<string>): ComposedShader {
  const { team, declarations = '', body } = parts;
  const bound = op.inputs.filter(({ name }) => parts.inputs.includes(name) && !inPlace.has(name));
  const shown = parts.scratchOnly ? bound : [...bound, op.output];
  const bindings = shown.map(
    (operand): Binding => ({
      operand: operand.name,
      writable: isWritten(op, operand),
      baseUnit: isStored(operand) ? 1 : 4,
    }),
  );
  const rules: Readonly<Record<string, { kind: string } | undefined>> = op.params;
  const fields = parts.fields.map((name): Field => ({ name, float: rules[name]?.kind === 'number' }));
  if (4 * (1 + bindings.length + fields.length) > PARAMS_BYTES) throw new Error(`${op.name}: too many parameters`);

  const vectors = new Set(parts.vectors?.filter((name) => !inPlace.has(name)));
  const builtins = team.usesSubgroups ? ', @builtin(subgroup_size) subgroup_size: u32' : '';
  const place =
    team.lanes === 1
      ? `let item = (group.x + group.y * groups.x) * ${team.workgroupSize}u + local;\n  let lane = 0u;`
      : 'let item = group.x + group.y * groups.x;\n  let lane = local;';
  const source = `// ${op.name}
${[team.usesSubgroups && 'enable subgroups;', /\bf16\b/.test(declarations) && 'enable f16;'].filter(Boolean).join('\n')}
struct Params {
  items: u32,
${shown.map((operand) => `  ${variableOf(operand)}_base: u32,\n`).join('')}${fields.map(({ name, float }) => `  ${name}: ${float ? 'f32' : 'u32'},\n`).join('')}}
@group(0) @binding(0) var<uniform> p: Params;
${shown.map((operand, i) => variable(operand, i, isWritten(op, operand), vectors.has(operand.name))).join('')}
${parts.scratch ? `@group(1) @binding(${bindings.length}) var<storage, read_write> scratch: array<${parts.scratch}>;\n` : ''}${parts.table ? `@group(1) @binding(${bindings.length + (parts.scratch ? 1 : 0)}) var<storage, read> table: array<u32>;\n` : ''}const LANES = ${team.lanes}u;
${team.usesSubgroups ? 'var<private> subgroup_lanes: u32;' : ''}
${shown.map((operand) => accessors(operand, variableOf(operand), vectors.has(operand.name))).join('')}${op.inputs
  .filter(({ name }) => inPlace.has(name))
  .map((operand) => accessors(operand, op.output.name, false))
  .join('')}${shown
  .filter((operand) => isWritten(op, operand))
  .map(putter)
  .join('')}
${declarations}
@compute @workgroup_size(${team.workgroupSize})
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32${builtins}
) {
  ${place}
  if (item >= p.items) { return; }
  ${team.usesSubgroups ? 'subgroup_lanes = subgroup_size;' : ''}
${body}
}
`;
  return {
    source,
    bindings,
    usesScratch: parts.scratch !== undefined,
    table: parts.table,
    fields,
    itemsPerWorkgroup: team.itemsPerWorkgroup,
  };
}

const isWritten = (op: Op, operand: Operand): boolean => operand === op.output || operand.updated === true;

const numberTypes = { F32: 'f32', I32: 'i32', weights: 'u32', cache: 'u32' } as const;

/** Read and written by snippets of packages/blocks, at byte addresses. */
const isStored = ({ dtype }: Operand): boolean => dtype === 'weights' || dtype === 'cache';

/** Decoders call the weights `w`, whatever the op does. */
const variableOf = ({ name, dtype }: Operand): string => (dtype === 'weights' ? 'w' : name);

function variable(operand: Operand, binding: number, writable: boolean, vector: boolean): string {
  const written = writable && isStored(operand) ? 'atomic<u32>' : numberTypes[operand.dtype];
  const type = vector ? 'vec4<f32>' : written;
  return `@group(1) @binding(${binding}) var<storage, ${writable ? 'read_write' : 'read'}> ${variableOf(operand)}: array<${type}>;\n`;
}

/** @param memory the variable that holds the operand */
function accessors(operand: Operand, memory: string, vector: boolean): string {
  const { name, dtype } = operand;
  const at = `p.${memory}_base + i`;
  if (isStored(operand)) return '';
  if (dtype === 'I32') return `fn get_${name}(i: u32) -> u32 { return u32(${memory}[${at}]); }\n`;
  if (vector)
    return `fn get_${name}(i: u32) -> f32 { let place = ${at}; return ${memory}[place >> 2u][place & 3u]; }
fn get_${name}4(i: u32) -> vec4<f32> { return ${memory}[(${at}) >> 2u]; }
`;
  return `fn get_${name}(i: u32) -> f32 { return ${memory}[${at}]; }
fn get_${name}4(i: u32) -> vec4<f32> {
  let place = ${at};
  return vec4<f32>(${memory}[place], ${memory}[place + 1u], ${memory}[place + 2u], ${memory}[place + 3u]);
}
`;
}

function putter(operand: Operand): string {
  const { name, dtype } = operand;
  if (isStored(operand)) return '';
  return dtype === 'I32'
    ? `fn put_${name}(i: u32, value: u32) { ${name}[p.${name}_base + i] = i32(value); }\n`
    : `fn put_${name}(i: u32, value: f32) { ${name}[p.${name}_base + i] = value; }\n`;
}
