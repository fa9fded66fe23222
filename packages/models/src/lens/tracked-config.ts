// config.json as records read it: a plain object that remembers which of its keys were asked for. What nobody asked for is
// then known to be harmless, or refused by name (`unread-keys.ts`): nothing that changes the numbers is lost without a word.
import type { Json } from '../arch/config-rule.ts';

export interface TrackedConfig {
  /** Looks like the JSON. */
  readonly config: Json;
  /** The same; looking at it asks for nothing. */
  readonly json: Json;
  /** Keys that were not read, those of objects that were read included: `rope_scaling.mscale`. */
  unread(): { path: string; value: unknown }[];
  /** All keys that were asked for, there or not. */
  asked(): ReadonlySet<string>;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** @param outer where a key is looked for that `json` lacks: what a wrapper says beside its text model */
export function trackedConfig(json: Readonly<Record<string, unknown>>, outer: Json = {}): TrackedConfig {
  const asked = new Set<string>();
  const wrap = (object: Readonly<Record<string, unknown>>, prefix: string, fallback: Json): Json =>
    new Proxy(object, {
      get(target, key) {
        // What every object has is no key of config.json.
        if (typeof key !== 'string' || (key in Object.prototype && !Object.hasOwn(target, key)))
          return Reflect.get(target, key);
        asked.add(prefix + key);
        const own = Object.hasOwn(target, key) ? target[key] : undefined;
        const value = own ?? (Object.hasOwn(fallback, key) ? fallback[key] : own);
        return isObject(value) ? wrap(value, `${prefix}${key}.`, {}) : value;
      },
      has(target, key) {
        if (typeof key === 'string') asked.add(prefix + key);
        return Object.hasOwn(target, key);
      },
    });
  const unreadOf = (object: Record<string, unknown>, prefix: string): { path: string; value: unknown }[] =>
    Object.entries(object).flatMap(([key, value]) => {
      const path = prefix + key;
      if (!asked.has(path)) return [{ path, value }];
      return isObject(value) ? unreadOf(value, `${path}.`) : [];
    });
  return { config: wrap(json, '', outer), json, unread: () => unreadOf({ ...json }, ''), asked: () => asked };
}
