// Items are vectors of four elements.
import { act4 } from '../../wasm/acts.wasm';
import { loadLanes, storeLanes } from '../../wasm/lanes.wasm';

/** args: x, y, act, elements */
export function act(args: usize, begin: usize, end: usize, scratch: usize): void {
  const x: usize = load<u32>(args);
  const y: usize = load<u32>(args, 4);
  const elements: usize = load<u32>(args, 12);
  for (let i = begin * 4; i < min(end * 4, elements); i += 4)
    storeLanes(y + i * 4, act4(load<u32>(args, 8), loadLanes(x + i * 4, elements - i)), elements - i);
}
