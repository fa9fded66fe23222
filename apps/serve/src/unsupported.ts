// Request fields that would change the answer and that this server cannot honour. Ignoring them would give a wrong answer
// that looks right (an unconstrained reply to a schema request), so they are refused with 400. One row per field.
import { ApiError } from './api-error.ts';

interface UnsupportedField {
  field: string;
  /** True when the value asks for something; the neutral values that SDKs send by default pass. */
  asks(value: unknown): boolean;
  why: string;
}

const given = (value: unknown): boolean => value !== undefined && value !== null;

export const unsupportedFields: readonly UnsupportedField[] = [
  {
    field: 'tool_choice',
    asks: (value) => given(value) && value !== 'auto' && value !== 'none',
    why: 'A tool call cannot be forced; use "auto" or "none".',
  },
  { field: 'functions', asks: given, why: 'The functions field is obsolete; use tools.' },
  { field: 'function_call', asks: given, why: 'The function_call field is obsolete; use tools.' },
  { field: 'echo', asks: (value) => value === true, why: 'Echoing the prompt is not supported.' },
  { field: 'suffix', asks: (value) => given(value) && value !== '', why: 'Text insertion (suffix) is not supported.' },
  { field: 'audio', asks: given, why: 'Audio output is not supported.' },
  {
    field: 'modalities',
    asks: (value) => given(value) && !(Array.isArray(value) && value.every((mode) => mode === 'text')),
    why: 'Only text output is supported.',
  },
];

/** @throws ApiError 400 `unsupported_parameter` naming the first field that cannot be honoured */
export function refuseUnsupported(body: Readonly<Record<string, unknown>>): void {
  for (const { field, asks, why } of unsupportedFields) {
    if (asks(body[field])) throw new ApiError(400, 'unsupported_parameter', why, { param: field });
  }
}
