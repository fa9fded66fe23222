// Another chat template than the model's own, as metadata of the model.
import { readFileSync } from 'node:fs';
import { QuernError } from '@quern/errors';
import type { LoadOverride } from '@quern/models';
import { renderChat } from '@quern/tokenizer';
import type { TemplateFlags } from './template-flags.ts';

/**
 * Metadata with the template in it.
 * @throws QuernError `serve-template-file`, `usage-template-name`, `chat-template-invalid`
 */
export function withTemplate(
  override: LoadOverride | undefined,
  { chatTemplate, chatTemplateFile }: TemplateFlags,
): LoadOverride | undefined {
  const template = chatTemplate ?? (chatTemplateFile === undefined ? undefined : readTemplate(chatTemplateFile));
  if (template === undefined) return override;
  if (!template.includes('{'))
    throw new QuernError('usage-template-name', `The chat template '${template}' says nothing of messages.`, {
      remedy: 'Give the template itself (Jinja), not its name.',
    });
  requireJinja(template);
  const { metadata = [], rope = {} } = override ?? {};
  return { rope, metadata: [...metadata, ['tokenizer.chat_template', { type: 'string', value: template }]] };
}

function readTemplate(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const message = `The chat template cannot be read: ${(cause as Error).message}.`;
    throw new QuernError('serve-template-file', message, { file: path, cause });
  }
}

/** What it makes of these messages is no matter, nor whether it refuses them. */
function requireJinja(template: string): void {
  try {
    renderChat({ template, messages: [{ role: 'user', content: 'Hello' }] });
  } catch (error) {
    if (error instanceof QuernError && error.code === 'chat-template-invalid') throw error;
  }
}
