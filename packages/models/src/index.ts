export type { Architecture, Block, TensorRule } from './arch/architecture.ts';
export { dimensionsOf, type ExpectedTensor, expectedTensors } from './arch/expected-tensors.ts';
export { architectureByGgufName, architectureByHfName, architectures } from './arch/index.ts';
export type { Model, ModelMemory, OutputBatch, TokenBatch } from './forward/model.ts';
export { architectureOf, type Hyperparameters, hyperparameters, type RopeScaling } from './hyperparameters.ts';
export { type LoadOptions, loadModel } from './load-model.ts';
