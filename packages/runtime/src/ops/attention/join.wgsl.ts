// The shader that joins what the parts of attention left in scratch memory, and adds the sinks.
import { exponentialsWgsl } from '../../webgpu/exponentials.ts';
import type { Shader } from '../../webgpu/kernel.ts';
import { single } from '../../webgpu/team.ts';

/** An item is one number of y. */
export const joiningSpans = (valueDim: number, sinks: boolean): Shader => ({
  name: `attention ${valueDim} joined${sinks ? ' with sinks' : ''}`,
  parts: () => ({
    inputs: sinks ? ['sinks'] : [],
    fields: sinks ? ['parts', 'heads'] : ['parts'],
    team: single,
    scratch: 'f32',
    declarations: exponentialsWgsl,
    body: `
  let first = item / ${valueDim}u * p.parts * ${valueDim + 2}u;
  let end = first + p.parts * ${valueDim + 2}u;
  ${sinks ? `let sink = get_sinks(item / ${valueDim}u % p.heads);` : ''}
  var largest = ${sinks ? 'sink' : 'scratch[first]'};
  for (var at = first; at < end; at += ${valueDim + 2}u) { largest = max(largest, scratch[at]); }
  var total = ${sinks ? 'exp_of(sink - largest)' : '0.0'};
  var sum = 0.0;
  for (var at = first; at < end; at += ${valueDim + 2}u) {
    let weight = exp_of(scratch[at] - largest);
    total += weight * scratch[at + 1u];
    sum += weight * scratch[at + 2u + item % ${valueDim}u];
  }
  put_y(item, sum / total);`,
  }),
});
