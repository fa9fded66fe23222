// The same kernels with relaxed SIMD where it multiplies integers (@quern/blocks src/activations/products.wasm.ts).
export * from './cpu.entry.wasm';
