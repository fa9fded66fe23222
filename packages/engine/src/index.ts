export * from './anywhere.ts';
export { Engine } from './engine.ts';
export type { CallOptions, LoadedAdapter, StartOptions } from './engine-options.ts';
export { type OpenedCore, openCore } from './open-core.ts';
export type { AdapterFile, EngineOptions } from './protocol.ts';
