// The nodes of a program as numbers in one shared block: a grammar that one thread has compiled is at hand in another one.
import { sharedBlock } from '../shared-block.ts';
import type { ByteEdge, GrammarNode, Program } from './program.ts';

const kinds = ['end', 'jump', 'text', 'bytes', 'tokens', 'call', 'repeat', 'measured'] as const;
const codeOf = Object.fromEntries(kinds.map((kind, code) => [kind, code])) as Record<GrammarNode['kind'], number>;

export function packed(nodes: readonly GrammarNode[]): Pick<Program, 'code' | 'offsets'> {
  const numbers: number[] = [];
  const offsets = new Int32Array(sharedBlock(4 * nodes.length));
  for (const [id, node] of nodes.entries()) {
    if (node.kind === 'text' && id > node.first) {
      offsets[id] = offsets[node.first]!;
      continue;
    }
    offsets[id] = numbers.length;
    numbers.push(codeOf[node.kind]);
    pack(node, numbers);
  }
  const code = new Float64Array(sharedBlock(8 * numbers.length));
  code.set(numbers);
  return { code, offsets };
}

function pack(node: GrammarNode, numbers: number[]): void {
  switch (node.kind) {
    case 'end':
      return;
    case 'jump':
      pushList(node.next, numbers);
      return;
    case 'text':
      numbers.push(node.first, node.next);
      pushList(node.bytes, numbers);
      return;
    case 'bytes': {
      const { boundary = false, least = 0, most = 0 } = node.measure ?? {};
      numbers.push(node.measure ? 1 : 0, boundary ? 1 : 0, least, most, node.edges.length);
      for (const [low, high, next] of node.edges) numbers.push(low, high, next);
      return;
    }
    case 'tokens':
      numbers.push(node.negated ? 1 : 0, node.next);
      pushList(node.ids, numbers);
      return;
    case 'call':
      numbers.push(node.entry, node.next);
      return;
    case 'repeat':
    case 'measured':
      numbers.push(node.entry, node.min, node.max, node.next);
  }
}

function pushList(list: ArrayLike<number>, numbers: number[]): void {
  numbers.push(list.length);
  for (let i = 0; i < list.length; i++) numbers.push(list[i]!);
}

type Packed = Pick<Program, 'code' | 'offsets'>;

export const kindAt = ({ code, offsets }: Packed, id: number): GrammarNode['kind'] => kinds[code[offsets[id]!]!]!;

/** Where a jump leads. */
export function jumpsAt({ code, offsets }: Packed, id: number): Float64Array {
  const at = offsets[id]!;
  return code.subarray(at + 2, at + 2 + code[at + 1]!);
}

/** What a place of a text reads. There are as many of them as bytes, so none unpacks the whole text. */
export function textEdgeAt({ code, offsets }: Packed, id: number): ByteEdge {
  const at = offsets[id]!;
  const place = id - code[at + 1]!;
  const byte = code[at + 4 + place]!;
  return [byte, byte, place + 1 < code[at + 3]! ? id + 1 : code[at + 2]!];
}

/** Any node but a place of a text. */
export function nodeAt(program: Packed, id: number): Exclude<GrammarNode, { kind: 'text' }> {
  const { code, offsets } = program;
  const at = offsets[id]!;
  const number = (i: number): number => code[at + i]!;
  const list = (i: number): number[] => [...code.subarray(at + i + 1, at + i + 1 + number(i))];
  const kind = kindAt(program, id);
  switch (kind) {
    case 'end':
      return { kind };
    case 'jump':
      return { kind, next: list(1) };
    case 'text':
      throw new RangeError(`node ${id} is a place of a text`);
    case 'bytes': {
      const edges = Array.from({ length: number(5) }, (_, i): ByteEdge => {
        const edge = 6 + 3 * i;
        return [number(edge), number(edge + 1), number(edge + 2)];
      });
      const measure = { boundary: number(2) === 1, least: number(3), most: number(4) };
      return { kind, edges, ...(number(1) === 1 && { measure }) };
    }
    case 'tokens':
      return { kind, negated: number(1) === 1, next: number(2), ids: list(3) };
    case 'call':
      return { kind, entry: number(1), next: number(2) };
    case 'repeat':
    case 'measured':
      return { kind, entry: number(1), min: number(2), max: number(3), next: number(4) };
  }
}
