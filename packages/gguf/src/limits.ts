// What a header may ask for. Every cap is far above any real file and far below what would hurt the reader.

/** Metadata and tensor infos together. The largest vocabularies (256k tokens with merges) take about 15 MB. */
export const maxHeaderBytes = 2 ** 28;
/** Array elements of one file, all arrays together: they become JavaScript values of some 8 to 50 bytes each. */
export const maxArrayElements = 2 ** 24;
/** One string value. Chat templates have some KB. */
export const maxStringBytes = 2 ** 26;
/** Keys (gguf.md) and, when reading, tensor names. */
export const maxNameBytes = 2 ** 16 - 1;
/** `GGML_MAX_NAME` less its NUL: llama.cpp refuses files with longer tensor names, so we do not write them. */
export const maxWrittenNameBytes = 63;
/** `GGML_MAX_DIMS` */
export const maxDims = 4;
/** Arrays in arrays; no known file has any. */
export const maxArrayDepth = 8;
/** `GGUF_DEFAULT_ALIGNMENT` */
export const defaultAlignment = 32;
/** Generous: direct I/O wants 4096, huge pages 2 MiB. */
export const maxAlignment = 2 ** 21;
