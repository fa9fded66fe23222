export * from './anywhere.ts';
export { cpuDevice } from './cpu/node-host.ts';
