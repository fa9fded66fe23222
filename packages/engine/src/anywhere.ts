// What runs anywhere: the engine without threads, for whoever drives it.

export type { BeamOptions } from './beams/options.ts';
export { EngineCore } from './core.ts';
export type { HistogramCounts } from './histogram.ts';
export { type LoadedCore, loadCore } from './load-core.ts';
export {
  type EngineInfo,
  type EngineSizes,
  type ErrorData,
  errorFromData,
  errorToData,
  type SlotAnswer,
  type SlotRequest,
} from './protocol.ts';
export type {
  AdapterScale,
  AskedGrammar,
  FinishEvent,
  FinishReason,
  GenerateEvent,
  GenerateOptions,
  Timings,
  TokenEvent,
} from './request.ts';
export { samplersOfLetters } from './sampling/letters.ts';
export type { TokenLogProb } from './sampling/log-probs.ts';
export { type ResolvedSampling, resolveSampling, type SamplingOptions } from './sampling/options.ts';
export { Sampler, type TokenProbability } from './sampling/sampler.ts';
export { type StageName as SamplerName, stageNames as samplerNames } from './sampling/stages/index.ts';
export { type RngName, rngNames } from './sampling/uniform.ts';
export { type SpeculationOptions, type SpeculationType, speculationTypes } from './speculation/options.ts';
export type { SpeculationStats } from './speculation/stats.ts';
export type { EngineStats, Latencies, StepTotals } from './stats.ts';
export { tokenNamed } from './vocabulary.ts';
