// THE table of what a pickle may name. A name maps to what is built from its arguments: values and descriptions. Nothing
// is looked up, imported or called.
//
//   storages   torch FloatStorage …, torch.storage UntypedStorage      only within a persistent id
//   dtypes     torch float8_e4m3fn …                                   the last argument of _rebuild_tensor_v3
//   builders   torch._utils _rebuild_tensor_v2, _rebuild_parameter …   see torch/_utils.py
//   dicts      collections OrderedDict
import { type DType, dtypeByName } from '@quern/blocks';
import { PickleDict, PickleGlobal, type PickleValue, StorageRef, TensorRef } from './values.ts';

/** Thrown for what the caller reports with file and offset. */
export class PickleError extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

const bad = (message: string): never => {
  throw new PickleError('torch-bad-pickle', message);
};

/** Types of storages and numbers by their name in `torch`; undefined: bytes. */
const storages: ReadonlyMap<string, DType | undefined> = new Map(
  Object.entries({
    DoubleStorage: 'F64',
    FloatStorage: 'F32',
    HalfStorage: 'F16',
    BFloat16Storage: 'BF16',
    LongStorage: 'I64',
    IntStorage: 'I32',
    ShortStorage: 'I16',
    CharStorage: 'I8',
    ByteStorage: 'U8',
    BoolStorage: 'BOOL',
    ComplexFloatStorage: 'C64',
  }).map(([name, dtype]): [string, DType | undefined] => [`torch ${name}`, dtypeByName(dtype)]),
).set('torch.storage UntypedStorage', undefined);

const numberTypes: ReadonlyMap<string, DType> = new Map(
  Object.entries({
    float64: 'F64',
    float32: 'F32',
    float16: 'F16',
    bfloat16: 'BF16',
    int64: 'I64',
    int32: 'I32',
    int16: 'I16',
    int8: 'I8',
    uint64: 'U64',
    uint32: 'U32',
    uint16: 'U16',
    uint8: 'U8',
    bool: 'BOOL',
    complex64: 'C64',
    float8_e4m3fn: 'F8_E4M3',
    float8_e5m2: 'F8_E5M2',
    float8_e8m0fnu: 'F8_E8M0',
    float8_e4m3fnuz: 'F8_E4M3FNUZ',
    float8_e5m2fnuz: 'F8_E5M2FNUZ',
  }).map(([name, dtype]): [string, DType] => [`torch ${name}`, dtypeByName(dtype)]),
);

type Build = (args: readonly PickleValue[], at: number) => PickleValue;

const builders: ReadonlyMap<string, Build> = new Map<string, Build>([
  [
    'torch._utils _rebuild_tensor_v2',
    ([storage, offset, shape, strides], at) => tensor(at, storage, offset, shape, strides),
  ],
  [
    'torch._utils _rebuild_tensor_v3',
    ([storage, offset, shape, strides, , , dtype], at) => tensor(at, storage, offset, shape, strides, dtype),
  ],
  ['torch._utils _rebuild_parameter', ([data]) => parameter(data)],
  ['torch._utils _rebuild_parameter_with_state', ([data]) => parameter(data)],
  ['collections OrderedDict', (args) => (args.length === 0 ? new PickleDict() : bad('An OrderedDict has arguments.'))],
  ['torch Size', ([sizes]) => (Array.isArray(sizes) ? sizes : bad('A torch.Size is no tuple.'))],
]);

/** @throws PickleError `torch-forbidden-global` for every name that is not in the table */
export function allowedGlobal(name: string): PickleGlobal {
  if (builders.has(name) || storages.has(name) || numberTypes.has(name)) return new PickleGlobal(name);
  throw new PickleError(
    'torch-forbidden-global',
    `The pickle names ${JSON.stringify(name.replace(' ', '.').slice(0, 200))}, which no tensor needs. It was not executed.`,
  );
}

/** What `REDUCE` leaves on the stack. */
export function build(callee: PickleValue, args: PickleValue, at: number): PickleValue {
  const builder = callee instanceof PickleGlobal ? builders.get(callee.name) : undefined;
  if (!builder) return bad('It calls something that is no function of the table.');
  if (!Array.isArray(args)) return bad('The arguments of a call are no tuple.');
  return builder(args, at);
}

/** `('storage', type, key, location, length)`; the legacy format adds a view, which is None unless very old. */
export function persistentStorage(id: PickleValue): StorageRef {
  if (!Array.isArray(id) || id[0] !== 'storage') return bad('A persistent id is no storage.');
  const [, type, key, , length, view] = id;
  if (!(type instanceof PickleGlobal) || !storages.has(type.name)) return bad('The type of a storage is unknown.');
  if (typeof key !== 'string' || !/^\w{1,40}$/.test(key)) return bad('The key of a storage is no plain name.');
  if (!isCount(length)) return bad('The length of a storage is no count.');
  if (view !== undefined && view !== null)
    throw new PickleError('torch-unsupported', 'A storage is a view of another one, as torch before 0.4 wrote them.');
  return new StorageRef(key, storages.get(type.name), length);
}

function tensor(
  at: number,
  storage: PickleValue | undefined,
  offset: PickleValue | undefined,
  shape: PickleValue | undefined,
  strides: PickleValue | undefined,
  given?: PickleValue,
): TensorRef {
  if (!(storage instanceof StorageRef)) return bad('A tensor has no storage.');
  const dtype = given instanceof PickleGlobal ? numberTypes.get(given.name) : storage.dtype;
  if (!dtype) return bad('A tensor has no type.');
  if (!isCount(offset) || !isCounts(shape) || !isCounts(strides) || shape.length !== strides.length)
    return bad('Offset, shape and strides of a tensor are no counts.');
  return new TensorRef({ storage, dtype, offset, shape, strides, at });
}

const parameter = (data: PickleValue | undefined): PickleValue =>
  data instanceof TensorRef ? data : bad('A parameter holds no tensor.');

// No framework makes tensors of more dimensions.
const maxDims = 64;

const isCount = (value: PickleValue | undefined): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0;
const isCounts = (value: PickleValue | undefined): value is number[] =>
  Array.isArray(value) && value.length <= maxDims && value.every(isCount);
