// What searches need to know of a grid, built at first use: for every vector of codes, whether it is a point, and if not,
// which points are around it (grid.ts says which, and in what order; ties in a search go by it). Tables follow the module's
// data in memory.
//
//   map     per vector, by its number (points.ts): ON_GRID and the rank of the point, or the place of its list of points
//           (shifted by 8) and the list's length, both in groups
//   lists   groups of 16 points of eight codes: sixteen lower bytes, then sixteen upper bytes;
//           groups of 4 points of four codes: four times the first q, four times the second …, bytes, where q = 2 code + 1
//
// The last group of a list repeats its first point, which loses against itself.

export const ON_GRID: u32 = 0x80000000;

/** Numbers of vectors of eight codes 0…2, of four codes 0…7, and bytes of their maps. */
const EIGHT_VECTORS: u32 = 6561;
const FOUR_VECTORS: u32 = 4096;
export const EIGHT_MAP_BYTES: usize = 26256;
export const FOUR_MAP_BYTES: usize = 16384;
export const EIGHT_GROUP_BYTES: usize = 32;
export const FOUR_GROUP_BYTES: usize = 16;

/** Enough bytes for the tables of all six grids, which take just under 2 MiB. */
export const GRID_TABLES_BYTES: usize = 2097152;

let free: usize = 0;

/** Where the next table begins. */
function begin(): usize {
  if (free == 0) free = __heap_base;
  return free;
}

/** The table begun ends at `end`. */
function finish(end: usize): void {
  if (end > __heap_base + GRID_TABLES_BYTES) unreachable();
  free = end;
}

const DISTANCES = memory.data(2048, 16);
/** The number that two-bit codes in the lower byte of a point make up in base 3. */
const NUMBERS = memory.data(171);

/** The number of a vector of eight codes (points.ts) given in fields of two bits. */
@inline
export function numberOfEight(point: u32): u32 {
  return <u32>load<u8>(NUMBERS + (point & 255)) + 81 * <u32>load<u8>(NUMBERS + (point >> 8));
}

/** Builds the table of `count` points of eight codes, with `rings` distances around each vector; returns its address. */
export function buildEight(points: usize, count: u32, rings: u32): usize {
  for (let byte: u32 = 0; byte < 171; byte++) {
    store<u8>(NUMBERS + byte, (byte & 3) + 3 * ((byte >> 2) & 3) + 9 * ((byte >> 4) & 3) + 27 * (byte >> 6));
  }
  const table = begin();
  const lists = table + EIGHT_MAP_BYTES;
  memory.fill(table, 0, EIGHT_MAP_BYTES);
  for (let rank: u32 = 0; rank < count; rank++) {
    store<u32>(table + 4 * numberOfEight(load<u16>(points + 2 * rank)), ON_GRID | rank);
  }
  let groups: u32 = 0;
  for (let number: u32 = 0; number < EIGHT_VECTORS; number++) {
    if (load<u32>(table + 4 * number)) continue;
    measureEight(points, count, number);
    const list = lists + EIGHT_GROUP_BYTES * groups;
    let length: u32 = 0;
    let last = -1;
    for (let ring: u32 = 0; ring < rings; ring++) {
      last = nextDistance(count, last);
      if (last < 0) break;
      for (let rank: u32 = 0; rank < count; rank += 16) {
        let found = <u32>i8x16.bitmask(i8x16.eq(v128.load(DISTANCES + rank), i8x16.splat(<i8>last)));
        for (; found; found &= found - 1) {
          putEight(list, length++, load<u16>(points + 2 * (rank + ctz(found))));
        }
      }
    }
    store<u32>(table + 4 * number, (groups << 8) | ((length + 15) >> 4));
    const first = <u32>load<u8>(list) | (<u32>load<u8>(list, 16) << 8);
    while (length & 15) putEight(list, length++, first);
    groups += length >> 4;
  }
  finish(lists + EIGHT_GROUP_BYTES * groups);
  return table;
}

@inline
function putEight(list: usize, index: u32, point: u32): void {
  const place = list + EIGHT_GROUP_BYTES * (index >> 4) + (index & 15);
  store<u8>(place, point);
  store<u8>(place, point >> 8, 16);
}

/** Squared distances of all points from the vector with `number`, a byte each. */
function measureEight(points: usize, count: u32, number: u32): void {
  // Of two neighbouring codes at a time: what each of their sixteen possible values adds.
  const first = squares(number);
  const second = squares(number / 9);
  const third = squares(number / 81);
  const fourth = squares(number / 729);
  const nibble = i8x16.splat(15);
  const lowByte = i16x8.splat(255);
  for (let rank: u32 = 0; rank < count; rank += 16) {
    const a = v128.load(points + 2 * rank);
    const b = v128.load(points + 2 * rank, 16);
    const low = i8x16.narrow_i16x8_u(v128.and(a, lowByte), v128.and(b, lowByte));
    const high = i8x16.narrow_i16x8_u(i16x8.shr_u(a, 8), i16x8.shr_u(b, 8));
    const lowSum = i8x16.add(
      i8x16.swizzle(first, v128.and(low, nibble)),
      i8x16.swizzle(second, i8x16.shr_u(low, 4)),
    );
    const highSum = i8x16.add(
      i8x16.swizzle(third, v128.and(high, nibble)),
      i8x16.swizzle(fourth, i8x16.shr_u(high, 4)),
    );
    v128.store(DISTANCES + rank, i8x16.add(lowSum, highSum));
  }
}

/** (a − code₀)² + (b − code₁)² for every a + 4 b, where code₀ and code₁ are the two lowest digits of `number` in base 3. */
function squares(number: u32): v128 {
  const low = i8x16(0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3);
  const high = i8x16(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);
  const lowSize = i8x16.abs(i8x16.sub(low, i8x16.splat(<i8>(number % 3))));
  const highSize = i8x16.abs(i8x16.sub(high, i8x16.splat(<i8>((number / 3) % 3))));
  const square = i8x16(0, 1, 4, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  return i8x16.add(i8x16.swizzle(square, lowSize), i8x16.swizzle(square, highSize));
}

/** The least of the first `count` distances above `last`; −1 when there is none. */
function nextDistance(count: u32, last: i32): i32 {
  let least = i8x16.splat(-1);
  for (let rank: u32 = 0; rank < count; rank += 16) {
    const distance = v128.load(DISTANCES + rank);
    const above = last < 0 ? i8x16.splat(-1) : i8x16.gt_u(distance, i8x16.splat(<i8>last));
    least = i8x16.min_u(least, v128.or(distance, v128.not(above)));
  }
  least = i8x16.min_u(least, v128.shuffle<u64>(least, least, 1, 0));
  least = i8x16.min_u(least, v128.shuffle<u32>(least, least, 1, 0, 3, 2));
  least = i8x16.min_u(least, v128.shuffle<u16>(least, least, 1, 0, 3, 2, 5, 4, 7, 6));
  least = i8x16.min_u(least, i16x8.shr_u(least, 8));
  const found = <i32>i8x16.extract_lane_u(least, 0);
  return found == 255 ? -1 : found;
}

/** Builds the table of `count` points of four codes, with `rings` distances around each vector; returns its address. */
export function buildFour(points: usize, count: u32, rings: u32): usize {
  const table = begin();
  const lists = table + FOUR_MAP_BYTES;
  memory.fill(table, 0, FOUR_MAP_BYTES);
  for (let rank: u32 = 0; rank < count; rank++) {
    store<u32>(table + 4 * <u32>load<u16>(points + 2 * rank), ON_GRID | rank);
  }
  let groups: u32 = 0;
  for (let vector: u32 = 0; vector < FOUR_VECTORS; vector++) {
    if (load<u32>(table + 4 * vector)) continue;
    for (let rank: u32 = 0; rank < count; rank++) {
      store<u8>(DISTANCES + rank, distanceOfFour(load<u16>(points + 2 * rank), vector));
    }
    const list = lists + FOUR_GROUP_BYTES * groups;
    let length: u32 = 0;
    let last = -1;
    for (let ring: u32 = 0; ring < rings; ring++) {
      last = nextDistance(count, last);
      for (let rank: u32 = 0; rank < count; rank++) {
        if (<i32>load<u8>(DISTANCES + rank) == last) putFour(list, length++, load<u16>(points + 2 * rank));
      }
    }
    store<u32>(table + 4 * vector, (groups << 8) | ((length + 3) >> 2));
    for (; length & 3; length++) {
      const place = list + FOUR_GROUP_BYTES * (length >> 2) + (length & 3);
      for (let i: usize = 0; i < 16; i += 4) store<u8>(place + i, load<u8>(list + i));
    }
    groups += length >> 2;
  }
  finish(lists + FOUR_GROUP_BYTES * groups);
  return table;
}

@inline
function distanceOfFour(a: u32, b: u32): u32 {
  let sum = 0;
  for (let shift: u32 = 0; shift < 12; shift += 3) {
    const difference = <i32>((a >> shift) & 7) - <i32>((b >> shift) & 7);
    sum += difference * difference;
  }
  return sum;
}

@inline
function putFour(list: usize, index: u32, point: u32): void {
  const place = list + FOUR_GROUP_BYTES * (index >> 2) + (index & 3);
  for (let i: u32 = 0; i < 4; i++) store<u8>(place + 4 * i, 2 * ((point >> (3 * i)) & 7) + 1);
}
