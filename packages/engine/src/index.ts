export * from './anywhere.ts';
export { type CallOptions, Engine, type StartOptions } from './engine.ts';
export { type OpenedCore, openCore } from './open-core.ts';
export type { EngineOptions } from './protocol.ts';
