// Ids of replies, calls and items, as the APIs write them: a prefix and 32 hexadecimal digits.
import { randomUUID } from 'node:crypto';

/** @param prefix with what divides it from the digits: `call_` */
export const randomId = (prefix: string): string => prefix + randomUUID().replaceAll('-', '');
