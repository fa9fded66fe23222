// The package in a browser.
export * from './anywhere.ts';
export { cpuDevice } from './cpu/browser-host.ts';
