// Python's `strftime` in the C locale, for the directives that chat templates use.

const weekdays = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const months = [
  ...['January', 'February', 'March', 'April', 'May', 'June'],
  ...['July', 'August', 'September', 'October', 'November', 'December'],
];

const pad = (value: number, width = 2) => String(value).padStart(width, '0');
const hour12 = (date: Date) => date.getHours() % 12 || 12;

const directives: Record<string, (date: Date) => string> = {
  a: (date) => (weekdays[date.getDay()] as string).slice(0, 3),
  A: (date) => weekdays[date.getDay()] as string,
  b: (date) => (months[date.getMonth()] as string).slice(0, 3),
  B: (date) => months[date.getMonth()] as string,
  d: (date) => pad(date.getDate()),
  e: (date) => String(date.getDate()).padStart(2, ' '),
  H: (date) => pad(date.getHours()),
  I: (date) => pad(hour12(date)),
  j: (date) => pad(dayOfYear(date), 3),
  m: (date) => pad(date.getMonth() + 1),
  M: (date) => pad(date.getMinutes()),
  p: (date) => (date.getHours() < 12 ? 'AM' : 'PM'),
  S: (date) => pad(date.getSeconds()),
  y: (date) => pad(date.getFullYear() % 100),
  Y: (date) => String(date.getFullYear()),
  '%': () => '%',
  // Without the leading zero (a GNU extension that some templates use).
  '-d': (date) => String(date.getDate()),
  '-m': (date) => String(date.getMonth() + 1),
  '-H': (date) => String(date.getHours()),
  '-I': (date) => String(hour12(date)),
};

/** `date` in local time by `format`. Throws on a directive it does not know. */
export function formatTime(date: Date, format: string): string {
  return format.replace(/%(-?.)/gs, (_, name: string) => {
    const directive = Object.hasOwn(directives, name) ? directives[name] : undefined;
    if (!directive) throw new Error(`strftime_now: unknown directive %${name}`);
    return directive(date);
  });
}

function dayOfYear(date: Date): number {
  const start = Date.UTC(date.getFullYear(), 0, 0);
  return (Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) - start) / 86_400_000;
}
