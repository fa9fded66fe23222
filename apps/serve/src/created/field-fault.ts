// What is wrong with a field of a request, told as that.
import { QuernError } from '@quern/errors';
import { ApiError } from '../api-error.ts';

/** @throws ApiError 400 of the field */
export function asField<Value>(field: string, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    return faultOf(field)(error);
  }
}

/** A fault of what was sent: where its file lies here is nothing that a client can use. */
export const faultOf =
  (field: string) =>
  (error: unknown): never => {
    if (!(error instanceof QuernError)) throw error;
    const told = `${field}: ${error.message}${error.remedy ? ` ${error.remedy}` : ''}`;
    throw new ApiError(400, error.code.replaceAll('-', '_'), told, { param: field });
  };
