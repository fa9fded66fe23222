// The end of a template that costs more than any conversation could.
import { QuernError } from '@quern/errors';

export function runaway(what: string): QuernError {
  return new QuernError('chat-template-runaway', `The chat template ${what}.`, {
    remedy: 'Use another template, or a shorter conversation.',
  });
}
