// The tables of `quern inspect`. Everything that comes from a file is made printable first.
import type { GgufMetadata, GgufValue } from '@quern/gguf';
import { type ContentsDescription, listTensors } from '@quern/models';
import { type Column, formatBytes, formatCount, formatTable, printable } from '@quern/terminal';
import type { Subject } from './subject.ts';

/** More rows are shortened unless they are asked for. */
const manyRows = 60;
/** A chat template on one line helps nobody. */
const longestValue = 100;
/** Arrays are written out up to here. */
const shortArray = 8;

export function typeTable({ typeHistogram }: Pick<ContentsDescription, 'typeHistogram'>): string {
  const columns: Column[] = [
    { header: 'type' },
    { header: 'tensors', align: 'right' },
    { header: 'weights', align: 'right' },
    { header: 'size', align: 'right' },
  ];
  const rows = Object.entries(typeHistogram).map(([type, count]) => [
    type,
    String(count.tensors),
    formatCount(count.parameters),
    formatBytes(count.bytes),
  ]);
  return formatTable(columns, rows);
}

export function metadataTable(metadata: GgufMetadata, all: boolean): string {
  const rows = [...metadata].map(([key, value]) => [printable(key), typeText(value), valueText(value)]);
  const shown = all ? rows : rows.slice(0, manyRows);
  const table = formatTable([{ header: 'key' }, { header: 'type' }, { header: 'value' }], shown);
  return withRest(table, rows.length - shown.length, '--metadata');
}

const typeText = (value: GgufValue): string =>
  value.type === 'array' ? `${value.of}[${value.value.length}]` : value.type;

function valueText(value: GgufValue): string {
  const items = value.type === 'array' ? value.value.slice(0, shortArray) : [];
  const more = value.type === 'array' && value.value.length > items.length ? ', …' : '';
  const text = value.type === 'array' ? `${items.map(itemText).join(', ')}${more}` : itemText(value.value);
  // Shortened before it is made printable: a string may have megabytes.
  const shown = printable(text.slice(0, longestValue));
  return text.length > longestValue ? `${shown.slice(0, longestValue - 1)}…` : shown;
}

const itemText = (item: unknown): string =>
  typeof item === 'string'
    ? item.slice(0, longestValue + 1)
    : typeof item === 'object' && item !== null
      ? typeText(item as GgufValue)
      : typeof item === 'number' && !Number.isInteger(item)
        ? String(Number(item.toPrecision(7)))
        : String(item);

export function tensorTable(tensors: Subject['tensors'], all: boolean): string {
  const columns: Column[] = [
    { header: 'tensor' },
    { header: 'type' },
    { header: 'shape' },
    { header: 'size', align: 'right' },
  ];
  const list = listTensors(tensors);
  const groups = all || list.length <= manyRows ? list : byLayers(list);
  const shown = all ? groups : groups.slice(0, 2 * manyRows);
  const rows = shown.map(({ name, type, shape, bytes }) => [
    printable(name),
    type,
    `[${shape.join(', ')}]`,
    formatBytes(bytes),
  ]);
  const table = formatTable(columns, rows);
  const hidden = groups.length - shown.length;
  if (hidden > 0) return withRest(table, hidden, '--tensors');
  return groups.length < list.length
    ? `${table}\n(${list.length} tensors, those of like layers on one line: --tensors lists all)`
    : table;
}

type TensorRow = ReturnType<typeof listTensors>[number];

/** Tensors that differ in the number of their layer alone, as one row: `blk.{0-29}.attn_q.weight`. */
function byLayers(list: readonly TensorRow[]): TensorRow[] {
  const groups = new Map<string, { row: TensorRow; layers: number[]; bytes: number }>();
  for (const row of list) {
    const layer = /(?<=^|[._])\d+(?=[._])/.exec(row.name)?.[0];
    const key = `${layer === undefined ? row.name : row.name.replace(/(?<=^|[._])\d+(?=[._])/, '{}')}\0${row.type}\0${row.shape}`;
    const group = groups.get(key) ?? { row, layers: [], bytes: 0 };
    groups.set(key, group);
    if (layer !== undefined) group.layers.push(Number(layer));
    group.bytes += row.bytes;
  }
  return Array.from(groups.values(), ({ row, layers, bytes }) => {
    const name = layers.length > 1 ? row.name.replace(/(?<=^|[._])\d+(?=[._])/, `{${rangesOf(layers)}}`) : row.name;
    return { ...row, name, bytes };
  });
}

/** `0-3,8,10-11` */
function rangesOf(numbers: readonly number[]): string {
  const ranges: [from: number, to: number][] = [];
  for (const number of [...numbers].sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last && number === last[1] + 1) last[1] = number;
    else ranges.push([number, number]);
  }
  return ranges.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(',');
}

const withRest = (table: string, hidden: number, flag: string): string =>
  hidden > 0 ? `${table}\n(${hidden} more: ${flag} lists all)` : table;
