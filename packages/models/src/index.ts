export { adapterView } from './adapter/adapter-view.ts';
export { openAdapter } from './adapter/open-adapter.ts';
export { type OpenedAdapters, openAdapters } from './adapter/open-adapters.ts';
export { type MergedModel, openMerged } from './adapter/open-merged.ts';
export { openPeftAdapter, type PeftAdapter } from './adapter/peft-adapter.ts';
export { type AdapterOptions, type AdapterRequest, readAdapters, readMergedAdapters } from './adapter/read-adapters.ts';
export * from './anywhere.ts';
export { type ContentsDescription, describeContents, type LayerNumber, listTensors } from './describe-contents.ts';
export { hfArchitecture } from './lens/choose-architecture.ts';
export { type DraftChoice, draftChoices } from './lens/draft.ts';
export { hfModelView, type LensOptions } from './lens/hf-model-view.ts';
export { coreOf } from './lens/tensor-names.ts';
export { isWrapper } from './lens/wrapper.ts';
export { type MmprojView, openMmproj } from './mmproj/mmproj-view.ts';
export { openModel } from './open-model.ts';
export { type OpenedTokenizer, type OpenTokenizerOptions, openTokenizer } from './open-tokenizer.ts';
export { type LoadOverride, type OverrideOptions, readLoadOverride } from './override/load-override.ts';
export { type MetadataOverride, parseOverride, setMetadata } from './override/metadata-override.ts';
export {
  type DeviceOptions,
  type DeviceRequest,
  type DeviceSpec,
  readDeviceRequest,
} from './placement/device-request.ts';
export { loadOnDevices, type ModelOnDevices } from './placement/load-on-devices.ts';
export { type OpenedDevices, openDevices } from './placement/open-devices.ts';
export { exportedArchitecture } from './to-huggingface/choose-architecture.ts';
export {
  type CheckpointType,
  guessCheckpointType,
  type HuggingFaceModel,
  huggingFaceOf,
  torchNames,
} from './to-huggingface/hugging-face-of.ts';
export { plainCheckpointOf } from './to-huggingface/plain-checkpoint-of.ts';
export { storedTensors } from './to-huggingface/stored-tensors.ts';
