// Parser for integer options of commander (`.option('--threads <n>', '…', integerOption(1))`). Commander recognises a
// parser's complaint by its `code`, prints it with the option's name and leaves with a usage error.

/** Accepts whole decimal numbers from `min` to `max`. */
export function integerOption(min: number, max: number = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^[+-]?\d+$/.test(text) && value >= min && value <= max) return value;
    const range = max === Number.MAX_SAFE_INTEGER ? `at least ${min}` : `from ${min} to ${max}`;
    throw Object.assign(new Error(`Give a whole number ${range}.`), { code: 'commander.invalidArgument' });
  };
}
