export type { DType } from './dtype.ts';
export { dtypes } from './dtype.ts';
