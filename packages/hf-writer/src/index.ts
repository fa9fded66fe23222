export type {
  HfFolder,
  HfTensor,
  HfTensorSpec,
  HfWriterOptions,
  HfWritten,
  TensorSink,
} from './hf-folder.ts';
export { type HfWriter, openHfWriter } from './open-hf-writer.ts';
export { requireOutputFolder } from './partial-folder.ts';
export {
  type PlainCheckpoint,
  type PlainPlan,
  type PlainType,
  type PlainWritten,
  planPlainCheckpoint,
  writePlainCheckpoint,
} from './plain-checkpoint.ts';
export { defaultMaxShardBytes } from './plan-shards.ts';
export { type RecodeOptions, type RecodeReport, recodedTensor } from './recode-tensor.ts';
export { parseShardSize } from './shard-size.ts';
export { type WriteHfOptions, writeHfCheckpoint } from './write-hf-checkpoint.ts';
