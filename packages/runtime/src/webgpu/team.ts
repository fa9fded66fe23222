// Lanes that work on one item together. A team of one is a lane per item without workgroup memory; a larger team is a
// workgroup. Kernels are written for a team of any size: they stride by `lane` and `LANES`, keep shared arrays in
// `team.memory`, and combine partial results with team_sum and team_max.
import type { Capabilities } from './capabilities.ts';

export interface Team {
  readonly lanes: number;
  /** Invocations of a workgroup: of teams of one there are several in it. */
  readonly workgroupSize: number;
  readonly itemsPerWorkgroup: number;
  /** Address space of arrays that the team shares. */
  readonly memory: 'private' | 'workgroup';
  /** Statement that makes writes to shared arrays visible to the team. */
  readonly barrier: string;
  readonly usesSubgroups: boolean;
}

const LANES_OF_SINGLES = 64;

/** A lane per item. */
export const single: Team = {
  lanes: 1,
  workgroupSize: LANES_OF_SINGLES,
  itemsPerWorkgroup: LANES_OF_SINGLES,
  memory: 'private',
  barrier: '',
  usesSubgroups: false,
};

/** As many lanes per item as wanted (a power of two) and possible; one where teams are slow. */
export function teamOf(wanted: number, { teams, maxInvocations, subgroups }: Capabilities): Team {
  if (!teams) return single;
  let lanes = wanted;
  while (lanes > maxInvocations) lanes /= 2;
  return {
    lanes,
    workgroupSize: lanes,
    itemsPerWorkgroup: 1,
    memory: 'workgroup',
    barrier: 'workgroupBarrier();',
    usesSubgroups: subgroups,
  };
}

/** team_sum, team_max (f32), team_sum4, team_max4 (vec4<f32>) and team_max_bits (u32): the same value for all lanes; every lane must call them. */
export function reductions(team: Team, names: readonly ReductionName[]): string {
  return names
    .map((name) => (team.lanes === 1 ? alone(name) : team.usesSubgroups ? bySubgroup(name, team) : byTree(name, team)))
    .join('');
}

export type ReductionName = keyof typeof kinds;

const kinds = {
  team_sum: { type: 'f32', combine: (a: string, b: string) => `${a} + ${b}`, subgroup: 'subgroupAdd' },
  team_sum4: { type: 'vec4<f32>', combine: (a: string, b: string) => `${a} + ${b}`, subgroup: 'subgroupAdd' },
  team_max: { type: 'f32', combine: (a: string, b: string) => `max(${a}, ${b})`, subgroup: 'subgroupMax' },
  team_max4: { type: 'vec4<f32>', combine: (a: string, b: string) => `max(${a}, ${b})`, subgroup: 'subgroupMax' },
  team_max_bits: { type: 'u32', combine: (a: string, b: string) => `max(${a}, ${b})`, subgroup: 'subgroupMax' },
};

const alone = (name: ReductionName): string => `
fn ${name}(value: ${kinds[name].type}, lane: u32) -> ${kinds[name].type} {
  return value;
}
`;

function byTree(name: ReductionName, { lanes }: Team): string {
  const { type, combine } = kinds[name];
  const parts = `parts_of_${name}`;
  return `
var<workgroup> ${parts}: array<${type}, ${lanes}>;
fn ${name}(value: ${type}, lane: u32) -> ${type} {
  ${parts}[lane] = value;
  workgroupBarrier();
  for (var half = ${lanes / 2}u; half > 0u; half >>= 1u) {
    if (lane < half) { ${parts}[lane] = ${combine(`${parts}[lane]`, `${parts}[lane + half]`)}; }
    workgroupBarrier();
  }
  let all = ${parts}[0];
  workgroupBarrier();
  return all;
}
`;
}

/** Subgroups of any size; that they hold consecutive lanes is what the device's self-test proves. */
function bySubgroup(name: ReductionName, { lanes }: Team): string {
  const { type, combine, subgroup } = kinds[name];
  const parts = `parts_of_${name}`;
  return `
var<workgroup> ${parts}: array<${type}, ${lanes}>;
fn ${name}(value: ${type}, lane: u32) -> ${type} {
  let part = ${subgroup}(value);
  if (lane % subgroup_lanes == 0u) { ${parts}[lane / subgroup_lanes] = part; }
  workgroupBarrier();
  var all = ${parts}[0];
  for (var i = 1u; i * subgroup_lanes < ${lanes}u; i++) { all = ${combine('all', `${parts}[i]`)}; }
  workgroupBarrier();
  return all;
}
`;
}

/** A team for one row of `cols` numbers: lanes beyond a quarter of them would wait at barriers for nothing. */
export function teamForRow(cols: number, capabilities: Capabilities): Team {
  return teamOf(cols >= 1024 ? 256 : cols >= 256 ? 64 : 32, capabilities);
}
