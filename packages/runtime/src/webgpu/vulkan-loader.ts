// Whether Linux has the library that finds Vulkan drivers. Dawn, asked for an adapter without it, writes a warning with a
// stack of its own to stderr, which who merely asks whether there is a GPU should not have to read.

const LIBRARY = 'libvulkan.so.1';

/** A variable, so that bundlers for the browser leave the import alone. */
const FILES: string = 'node:fs';

/** Where distributions without a cache of libraries (musl) keep them. */
const usualFolders = ['/lib', '/usr/lib', '/usr/local/lib'];

/** True wherever it cannot be known, or does not matter. */
export async function mayHaveVulkan(): Promise<boolean> {
  if (globalThis.navigator?.gpu || process.platform !== 'linux') return true;
  const { existsSync, readFileSync } = (await import(FILES)) as typeof import('node:fs');
  const contains = (file: string): boolean => existsSync(file) && readFileSync(file).includes(LIBRARY);
  const folders = [...(process.env.LD_LIBRARY_PATH ?? '').split(':').filter(Boolean), ...usualFolders];
  return (
    contains('/etc/ld.so.cache') ||
    folders.some((folder) => existsSync(`${folder}/${LIBRARY}`)) ||
    // Loaded already: by its bare name it is found again.
    contains('/proc/self/maps')
  );
}
