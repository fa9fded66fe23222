export { EngineCore } from './core.ts';
export { type CallOptions, Engine, type StartOptions } from './engine.ts';
export { type OpenedCore, openCore } from './open-core.ts';
export type { EngineInfo, EngineOptions } from './protocol.ts';
export type { FinishEvent, FinishReason, GenerateEvent, GenerateOptions, Timings, TokenEvent } from './request.ts';
export type { TokenLogProb } from './sampling/log-probs.ts';
export { type ResolvedSampling, resolveSampling, type SamplingOptions } from './sampling/options.ts';
export { Sampler } from './sampling/sampler.ts';
