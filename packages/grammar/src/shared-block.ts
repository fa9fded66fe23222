// Memory that other threads see too, where the platform has such: what one thread has made is at hand in another one without
// being copied there.
export const sharedBlock = (bytes: number): ArrayBuffer | SharedArrayBuffer =>
  typeof SharedArrayBuffer === 'undefined' ? new ArrayBuffer(bytes) : new SharedArrayBuffer(bytes);
