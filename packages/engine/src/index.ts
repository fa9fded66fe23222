export * from './anywhere.ts';
export { type CallOptions, Engine, type LoadedAdapter, type StartOptions } from './engine.ts';
export { type OpenedCore, openCore } from './open-core.ts';
export type { AdapterFile, EngineOptions } from './protocol.ts';
