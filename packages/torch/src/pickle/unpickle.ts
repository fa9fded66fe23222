// A stack machine for the pickles that torch.save writes, protocols 2 to 5. It executes nothing: names become values of
// the table in globals.ts, calls become descriptions, and every opcode or name outside the subset is refused by name.
// Source: CPython's pickletools (opcodes), torch/_weights_only_unpickler.py (what a state dict needs).
import { QuernError } from '@quern/errors';
import { ByteReader } from './byte-reader.ts';
import { allowedGlobal, build, PickleError, persistentStorage } from './globals.ts';
import { opcodeNames } from './opcodes.ts';
import { PickleDict, type PickleValue, type StorageRef } from './values.ts';

export interface PickleLimits {
  readonly opcodes: number;
  readonly memo: number;
  /** Open marks: how deep containers may nest. */
  readonly marks: number;
  readonly stringBytes: number;
}

/** That of the largest known checkpoint has some MB. */
export const maxPickleBytes = 64 * 2 ** 20;

/** A tensor needs some 30 opcodes: room for 130,000 of them. */
export const defaultLimits: PickleLimits = { opcodes: 4_000_000, memo: 2_000_000, marks: 256, stringBytes: 65_536 };

/** Where the pickle stands, for error messages. */
export interface PicklePlace {
  readonly file: string;
  /** Offset in the file of `bytes[0]`. */
  readonly offset: number;
}

export interface Unpickled {
  readonly value: PickleValue;
  /** Where the pickle ends in the bytes. */
  readonly end: number;
  /** All storages it names, by key. */
  readonly storages: ReadonlyMap<string, StorageRef>;
}

/**
 * Runs one pickle.
 * @throws QuernError `torch-forbidden-global`, `torch-forbidden-opcode`, `torch-bad-pickle`, `torch-unsupported`,
 *   `torch-pickle-too-large`, each with the offset; EndOfBytes when `bytes` end before it does
 */
export function unpickle(
  bytes: Uint8Array,
  place: PicklePlace,
  limits: PickleLimits = defaultLimits,
  begin = 0,
): Unpickled {
  const machine = new Machine(new ByteReader(bytes, begin), limits);
  try {
    return { value: machine.run(), end: machine.reader.at, storages: machine.storages };
  } catch (error) {
    if (!(error instanceof PickleError)) throw error;
    throw new QuernError(error.code, error.message, {
      file: place.file,
      offset: place.offset + machine.opcodeAt,
      remedy:
        error.code === 'torch-forbidden-global' || error.code === 'torch-forbidden-opcode'
          ? 'Do not load this file with torch. Ask its author for safetensors.'
          : undefined,
    });
  }
}

/** What `MARK` pushed. */
const mark = Symbol('mark');

class Machine {
  readonly reader: ByteReader;
  /** Where the opcode at work begins. */
  opcodeAt = 0;
  private readonly limits: PickleLimits;
  private readonly stack: (PickleValue | typeof mark)[] = [];
  private readonly memo = new Map<number, PickleValue>();
  readonly storages = new Map<string, StorageRef>();
  private marks = 0;

  constructor(reader: ByteReader, limits: PickleLimits) {
    this.reader = reader;
    this.limits = limits;
  }

  run(): PickleValue {
    for (let count = 0; ; count++) {
      if (count >= this.limits.opcodes) throw tooLarge(`more than ${this.limits.opcodes} opcodes`);
      this.opcodeAt = this.reader.at;
      const code = this.reader.u8();
      if (code === 0x2e) break;
      const step = steps[code];
      if (!step) {
        const name = opcodeNames[String.fromCharCode(code)];
        if (!name) throw new PickleError('torch-bad-pickle', `0x${code.toString(16)} is no opcode.`);
        throw new PickleError('torch-forbidden-opcode', `The pickle uses ${name}, which no tensor needs.`);
      }
      step(this);
    }
    const value = this.pop();
    if (this.stack.length > 0) throw bad('Something is left on the stack.');
    return value;
  }

  push(value: PickleValue): void {
    this.stack.push(value);
  }

  pop(): PickleValue {
    const value = this.stack.pop();
    if (value === undefined || value === mark) throw bad('The stack is empty.');
    return value;
  }

  top(): PickleValue {
    const value = this.stack.at(-1);
    if (value === undefined || value === mark) throw bad('The stack is empty.');
    return value;
  }

  pushMark(): void {
    if (++this.marks > this.limits.marks) throw tooLarge(`containers nested more than ${this.limits.marks} deep`);
    this.stack.push(mark);
  }

  popToMark(): PickleValue[] {
    const at = this.stack.lastIndexOf(mark);
    if (at < 0) throw bad('There is no mark.');
    this.marks--;
    const values = this.stack.splice(at);
    values.shift();
    return values as PickleValue[];
  }

  popTuple(count: number): void {
    const values = Array.from({ length: count }, () => this.pop());
    this.push(values.reverse());
  }

  remember(index: number): void {
    if (this.memo.size >= this.limits.memo) throw tooLarge(`more than ${this.limits.memo} remembered values`);
    this.memo.set(index, this.top());
  }

  rememberNext(): void {
    this.remember(this.memo.size);
  }

  recall(index: number): void {
    const value = this.memo.get(index);
    if (value === undefined) throw bad(`Nothing is remembered as ${index}.`);
    this.push(value);
  }

  text(bytes: number): string {
    const { stringBytes } = this.limits;
    if (bytes > stringBytes) throw tooLarge(`a text of ${bytes} bytes`);
    return decode(this.reader.take(bytes));
  }

  line(): string {
    return decode(this.reader.line(this.limits.stringBytes));
  }

  setItems(items: readonly PickleValue[]): void {
    const dict = this.top();
    if (!(dict instanceof PickleDict)) throw bad('Items are set on something that is no dict.');
    if (items.length % 2 !== 0) throw bad('A key has no value.');
    for (let i = 0; i < items.length; i += 2) dict.entries.set(items[i]!, items[i + 1]!);
  }

  append(items: readonly PickleValue[]): void {
    const list = this.top();
    if (!Array.isArray(list)) throw bad('Items are appended to something that is no list.');
    for (const item of items) list.push(item);
  }

  pushStorage(): void {
    const storage = persistentStorage(this.pop());
    this.storages.set(storage.key, storage);
    this.push(storage);
  }

  /** Attributes of a dict, as `_metadata` of a state dict: no tensor needs them. */
  dropState(): void {
    const state = this.pop();
    if (!(this.top() instanceof PickleDict) || !(state instanceof PickleDict))
      throw new PickleError('torch-forbidden-opcode', 'The pickle uses BUILD on something that is no dict.');
  }
}

/** What each opcode does, by its byte; STOP ends the loop. */
const steps: Readonly<Record<number, (m: Machine) => void>> = {
  // Protocol and framing.
  128: (m) => {
    const version = m.reader.u8();
    if (version < 2 || version > 5) throw new PickleError('torch-unsupported', `The pickle has protocol ${version}.`);
  },
  149: (m) => void m.reader.u64(),
  // Plain values.
  78: (m) => m.push(null),
  136: (m) => m.push(true),
  137: (m) => m.push(false),
  75: (m) => m.push(m.reader.u8()),
  77: (m) => m.push(m.reader.u16()),
  74: (m) => m.push(m.reader.i32()),
  138: (m) => m.push(longInteger(m.reader.take(m.reader.u8()))),
  71: (m) => m.push(m.reader.f64BigEndian()),
  88: (m) => m.push(m.text(m.reader.u32())),
  140: (m) => m.push(m.text(m.reader.u8())),
  141: (m) => m.push(m.text(Number(m.reader.u64()))),
  // Texts of Python 2.
  85: (m) => m.push(m.text(m.reader.u8())),
  84: (m) => m.push(m.text(m.reader.u32())),
  // Containers.
  40: (m) => m.pushMark(),
  41: (m) => m.push([]),
  93: (m) => m.push([]),
  125: (m) => m.push(new PickleDict()),
  116: (m) => m.push(m.popToMark()),
  133: (m) => m.popTuple(1),
  134: (m) => m.popTuple(2),
  135: (m) => m.popTuple(3),
  97: (m) => m.append([m.pop()]),
  101: (m) => m.append(m.popToMark()),
  115: (m) => {
    const [value, key] = [m.pop(), m.pop()];
    m.setItems([key, value]);
  },
  117: (m) => m.setItems(m.popToMark()),
  // Memo.
  113: (m) => m.remember(m.reader.u8()),
  114: (m) => m.remember(m.reader.u32()),
  148: (m) => m.rememberNext(),
  104: (m) => m.recall(m.reader.u8()),
  106: (m) => m.recall(m.reader.u32()),
  // Names and calls.
  99: (m) => m.push(allowedGlobal(`${m.line()} ${m.line()}`)),
  147: (m) => {
    const [name, module] = [m.pop(), m.pop()];
    if (typeof name !== 'string' || typeof module !== 'string') throw bad('A name is no text.');
    m.push(allowedGlobal(`${module} ${name}`));
  },
  81: (m) => m.pushStorage(),
  82: (m) => {
    const [args, callee] = [m.pop(), m.pop()];
    m.push(build(callee, args, m.opcodeAt));
  },
  98: (m) => m.dropState(),
};

/** Two's complement, little-endian. The magic number of the legacy format has ten bytes: it comes as the bytes. */
function longInteger(bytes: Uint8Array): number | Uint8Array {
  if (bytes.length > 8) return bytes.slice();
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
  const signed = BigInt.asIntN(8 * bytes.length, value);
  if (signed > BigInt(Number.MAX_SAFE_INTEGER) || signed < BigInt(Number.MIN_SAFE_INTEGER))
    throw bad(`The integer ${signed} is too large.`);
  return Number(signed);
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw bad('A text is not UTF-8.');
  }
}

const bad = (message: string): PickleError => new PickleError('torch-bad-pickle', message);
const tooLarge = (what: string): PickleError =>
  new PickleError('torch-pickle-too-large', `The pickle has ${what}; no checkpoint needs as many.`);
