export type {
  HfFolder,
  HfTensor,
  HfTensorSpec,
  HfWriterOptions,
  HfWritten,
  TensorSink,
} from './hf-folder.ts';
export { type HfWriter, openHfWriter } from './open-hf-writer.ts';
export { defaultMaxShardBytes } from './plan-shards.ts';
export { type PlainType, type RecodeOptions, type RecodeReport, recodedTensor } from './recode-tensor.ts';
export { type WriteHfOptions, writeHfCheckpoint } from './write-hf-checkpoint.ts';
