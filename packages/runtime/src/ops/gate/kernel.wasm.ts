// Items are rows.
import { act4 } from '../../wasm/acts.wasm';
import { loadLanes, storeLanes } from '../../wasm/lanes.wasm';

/** args: x, gate, y, numbers of a gate, gates of a row, act */
export function gate(args: usize, begin: usize, end: usize, scratch: usize): void {
  const size: usize = load<u32>(args, 12);
  const gates: usize = load<u32>(args, 16);
  const act = load<u32>(args, 20);
  for (let n = begin; n < end; n++) {
    const x = <usize>load<u32>(args) + n * gates * size * 4;
    const y = <usize>load<u32>(args, 8) + n * gates * size * 4;
    const gate = <usize>load<u32>(args, 4) + n * gates * 4;
    if (size == 1) gateNumbers(x, gate, y, gates, act);
    else for (let g: usize = 0; g < gates; g++) gateSpan(x + g * size * 4, gate + g * 4, y + g * size * 4, size, act);
  }
}

function gateNumbers(x: usize, gate: usize, y: usize, count: usize, act: u32): void {
  for (let i: usize = 0; i < count; i += 4)
    storeLanes(y + i * 4, f32x4.mul(loadLanes(x + i * 4, count - i), act4(act, loadLanes(gate + i * 4, count - i))), count - i);
}

function gateSpan(x: usize, gate: usize, y: usize, count: usize, act: u32): void {
  const factor = act4(act, v128.load32_splat(gate));
  for (let i: usize = 0; i < count; i += 4)
    storeLanes(y + i * 4, f32x4.mul(loadLanes(x + i * 4, count - i), factor), count - i);
}
