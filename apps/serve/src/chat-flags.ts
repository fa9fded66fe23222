// How chats are answered where a request does not say it: llama-server's flags of thinking and of its templates.
import { QuernError } from '@quern/errors';
import { type Flag, parseCount } from '@quern/terminal';
import type { ChatDefaults } from './chat/chat-defaults.ts';

export interface ChatFlags {
  reasoning?: 'on' | 'off' | 'auto';
  reasoningBudget?: string;
  reasoningEffort?: string;
  chatTemplateKwargs?: string;
}

export const chatFlags: readonly Flag[] = [
  {
    flags: '--reasoning <switch>',
    description: 'whether models that can think do (default: auto, as their template does)',
    choices: ['on', 'off', 'auto'],
  },
  {
    flags: '--reasoning-budget <tokens>',
    description: 'most tokens of thinking; 0: none, -1: no limit (default: -1)',
  },
  {
    flags: '--reasoning-effort <level>',
    description: 'for templates that ask for it (default: as the template says)',
    choices: ['default', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'],
  },
  {
    flags: '--chat-template-kwargs <json>',
    description: 'variables for the template: {"enable_thinking": false}',
  },
];

/** @throws QuernError `usage-bad-number`, `usage-bad-value` */
export function readChatDefaults(flags: ChatFlags): ChatDefaults {
  const { reasoning = 'auto', reasoningBudget: budget, reasoningEffort: effort } = flags;
  return {
    ...(reasoning !== 'auto' && { thinking: reasoning === 'on' }),
    ...(budget !== undefined &&
      budget !== '-1' && { thinkingBudget: parseCount('--reasoning-budget', budget, 1 << 30, 0) }),
    ...(effort !== undefined && effort !== 'default' && { reasoningEffort: effort }),
    ...(flags.chatTemplateKwargs !== undefined && { templateVariables: variablesOf(flags.chatTemplateKwargs) }),
  };
}

/** What the request sets itself. */
const ofRequests = ['messages', 'tools', 'add_generation_prompt'];

function variablesOf(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw badVariables(`is no JSON (${(cause as Error).message})`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw badVariables('must be a JSON object');
  const taken = ofRequests.find((name) => Object.hasOwn(value, name));
  if (taken !== undefined) throw badVariables(`cannot set ${taken}, which is a field of requests`);
  return value as Record<string, unknown>;
}

const badVariables = (why: string): QuernError =>
  new QuernError('usage-bad-value', `--chat-template-kwargs ${why}.`, {
    remedy: `Write it as one argument: --chat-template-kwargs '{"enable_thinking": false}'.`,
  });
