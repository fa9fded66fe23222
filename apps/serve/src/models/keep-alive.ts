// How long something stays loaded without requests, as Ollama's clients say it: seconds as a number, "5m", "1h30m", 0 (goes at
// once), negative (stays).
const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Milliseconds, -1 for ever; undefined for what is none. */
export function parseKeepAlive(value: string | number): number | undefined {
  if (typeof value === 'number' || /^-?\d+(\.\d+)?$/.test(value)) {
    const seconds = Number(value);
    return Number.isFinite(seconds) ? (seconds < 0 ? -1 : seconds * 1000) : undefined;
  }
  if (!/^-?(\d+(\.\d+)?(ms|s|m|h))+$/.test(value)) return undefined;
  if (value.startsWith('-')) return -1;
  const parts = value.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g);
  return [...parts].reduce((sum, [, count, unit]) => sum + Number(count) * units[unit!]!, 0);
}
