// WebGPU without a GPU: SwiftShader, which npm brings inside @sparticuz/chromium, as Vulkan driver of Dawn. Call before the
// process makes its first WebGPU instance, and in a process of its own: the driver is found through the environment.
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';

const MANIFEST = 'vk_swiftshader_icd.json';
const RTLD_NOW = 2;
const RTLD_NODELETE = 0x1000;

/** Makes the driver available to this process. Prints and returns why not, when that is so. */
export function useSwiftShader(): string | undefined {
  const missing = loadDriver();
  if (missing) console.warn(`Skipping WebGPU on SwiftShader: ${missing}`);
  return missing;
}

function loadDriver(): string | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'SwiftShader from npm is for Linux on x64';
  const archive = archivePath();
  if (!archive) return 'the optional package @sparticuz/chromium is not installed';
  const folder = unpacked(archive);
  process.env.VK_ICD_FILENAMES = process.env.VK_DRIVER_FILES = join(folder, MANIFEST);
  try {
    // Dawn looks for the loader by its bare name, which is found when it is already in memory.
    process.dlopen({ exports: {} }, join(folder, 'libvulkan.so.1'), RTLD_NOW | RTLD_NODELETE);
  } catch {
    // It is no Node addon, which is said after it has been loaded; it stays.
  }
  return undefined;
}

function archivePath(): string | undefined {
  try {
    const entry = createRequire(import.meta.url).resolve('@sparticuz/chromium');
    const file = join(entry.slice(0, entry.lastIndexOf('chromium') + 'chromium'.length), 'bin', 'swiftshader.tar.br');
    return existsSync(file) ? file : undefined;
  } catch {
    return undefined;
  }
}

/** A folder with the archive's files; kept, so that only the first run unpacks. */
function unpacked(archive: string): string {
  const version = JSON.parse(readFileSync(join(archive, '../../package.json'), 'utf8')).version as string;
  const folder = join(tmpdir(), `quern-swiftshader-${version}-${process.getuid?.() ?? 0}`);
  if (existsSync(join(folder, MANIFEST))) return folder;
  const fresh = mkdtempSync(`${folder}-`);
  for (const { name, bytes } of filesOf(brotliDecompressSync(readFileSync(archive))))
    writeFileSync(join(fresh, name), bytes, { mode: 0o755 });
  try {
    renameSync(fresh, folder);
    return folder;
  } catch {
    rmSync(fresh, { recursive: true }); // another process was faster
    return folder;
  }
}

/** Plain files of a tar archive: a header of 512 bytes (name at 0, octal size at 124, type at 156), then whole blocks. */
function filesOf(tar: Buffer): { name: string; bytes: Buffer }[] {
  const files = [];
  for (let at = 0; at + 512 <= tar.length && tar[at] !== 0; ) {
    const text = (from: number, length: number) =>
      tar.toString('latin1', at + from, at + from + length).split('\0')[0]!;
    const size = Number.parseInt(text(124, 12), 8);
    const bytes = tar.subarray(at + 512, at + 512 + size);
    if (text(156, 1) === '0' || text(156, 1) === '') files.push({ name: basename(text(0, 100)), bytes });
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return files;
}
