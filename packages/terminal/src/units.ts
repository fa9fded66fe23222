// Numbers as people read them. Sizes are binary (KiB = 1024 bytes) and say so; nothing here is parsed back.

const scaled = (value: number, base: number, units: readonly string[]): string => {
  let power = 0;
  let left = value;
  // 999.5 of a unit would print as 1000: go on to the next one already there.
  while (Math.abs(left) >= base * 0.9995 && power < units.length - 1) {
    left /= base;
    power++;
  }
  if (power === 0) return `${Math.round(left)}${units[0]}`;
  return `${left.toFixed(left < 10 ? 2 : left < 100 ? 1 : 0)}${units[power]}`;
};

/** `8.42 MiB`, `512 B`. */
export const formatBytes = (bytes: number): string =>
  scaled(bytes, 1024, [' B', ' KiB', ' MiB', ' GiB', ' TiB', ' PiB']);

/** `4.21M` parameters, `512` tensors. */
export const formatCount = (count: number): string => scaled(count, 1000, ['', 'k', 'M', 'B', 'T']);

/** Bits per weight: `4.894 bpw`. */
export const formatBits = (bitsPerWeight: number): string => `${bitsPerWeight.toFixed(3)} bpw`;

/** `0.4 s`, `12 s`, `3 min 05 s`, `2 h 07 min`. */
export function formatDuration(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const two = (n: number) => String(n).padStart(2, '0');
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
}
