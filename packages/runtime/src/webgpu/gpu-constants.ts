// Numbers that the WebGPU specification fixes. Node has no globals for them.
export const USAGE_MAP_READ = 0x1;
export const USAGE_COPY_SRC = 0x4;
export const USAGE_COPY_DST = 0x8;
export const USAGE_UNIFORM = 0x40;
export const USAGE_STORAGE = 0x80;
export const STAGE_COMPUTE = 0x4;
export const MAP_MODE_READ = 0x1;
