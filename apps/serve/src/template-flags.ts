// Another chat template than the model's own: the flags of it.
import type { Flag } from '@quern/terminal';

export interface TemplateFlags {
  chatTemplate?: string;
  chatTemplateFile?: string;
}

export const templateFlags: readonly Flag[] = [
  {
    flags: '--chat-template <text>',
    description: 'Jinja template in place of the model’s own',
    conflicts: ['chatTemplateFile'],
  },
  { flags: '--chat-template-file <file>', description: 'the same, from a file' },
];
