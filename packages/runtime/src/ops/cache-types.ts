// What keys and values may be stored as. Each room of packages/blocks says what its type rounds to.
export const cacheTypes = ['F32', 'F16', 'Q8_0', 'Q4_0'] as const;
export type CacheType = (typeof cacheTypes)[number];
