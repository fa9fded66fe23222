// What runs anywhere: everything but Hugging Face folders.
export type { LoraAdapter, LoraPair, ScaledAdapter } from './adapter/lora.ts';
export type { Architecture, ScalingPair, TensorRule } from './arch/architecture.ts';
export { type ExpectedSource, type ExpectedTensor, expectedTensors } from './arch/expected-tensors.ts';
export { architectureByGgufName, architectureByHfName, architectures } from './arch/index.ts';
export { type ModelNumbers, modelNumbers } from './arch/model-numbers.ts';
export { describeModel, type ModelDescription } from './describe.ts';
export {
  type CacheOptions,
  type CacheTypes,
  describeCacheTypes,
  exactCache,
  readCacheTypes,
} from './forward/cache-types.ts';
export type { DraftBlocks, DraftPairs } from './forward/draft/draft-blocks.ts';
export {
  embedBatch,
  embeddingSizes,
  embedSequences,
  fitting,
  normalized,
  notFiniteVector,
  requireFitting,
  type TextTokens,
} from './forward/embed-sequences.ts';
export type { StoredWeight } from './forward/held-weights.ts';
export type { HighestLogits } from './forward/highest-logits.ts';
export type { BlockInput, MatmulObserver, Model, ModelMemory, OutputBatch, TokenBatch } from './forward/model.ts';
export type { Network } from './forward/network.ts';
export { type NetworkTensor, networkTensors } from './forward/network-tensors.ts';
export { type Pooling, type PoolingSpec, pooledWidth, poolings } from './forward/pooling.ts';
export type { RopeScaling } from './forward/rope.ts';
export { type LogitRows, sequenceLogits } from './forward/sequence-logits.ts';
export { type SingleBlock, singleBlock, singleBlockBytes } from './forward/single-block.ts';
export type { SequencePlace, SequenceState } from './forward/state/sequence-state.ts';
export { type Experts, type Hyperparameters, hyperparameters } from './hyperparameters.ts';
export { convertedDtype, guessFileType, type PlainFileType, plainFileTypes } from './lens/dtype-policy.ts';
export { type LoadOptions, loadModel } from './load-model.ts';
export { architectureOf, networkOf } from './network-of.ts';
export { type NetworkReader, networkReader } from './network-reader.ts';
export {
  type DevicePlacement,
  describePlacement,
  type Placement,
  type PlacementOptions,
  type SplitMode,
} from './placement/placement.ts';
export { type DeviceCapacity, planPlacement } from './placement/plan.ts';
export { withPooling } from './read-pooling.ts';
export { withListed } from './to-huggingface/listed-tensors.ts';
