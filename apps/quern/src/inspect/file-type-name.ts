// `general.file_type` (`enum llama_ftype` of llama.cpp) by name.

/** Set when a program guessed the type by counting tensors (`LLAMA_FTYPE_GUESSED`). */
const guessed = 1024;

export async function fileTypeName(fileType: number): Promise<string> {
  // The table comes with the quantizer, which `--help` need not wait for.
  const { fileTypes } = await import('@quern/kquant');
  const found = fileTypes.find(({ id, copies }) => id === (fileType & ~guessed) && !copies);
  if (!found) return `unknown (${fileType})`;
  return fileType & guessed ? `${found.name} (guessed)` : found.name;
}
