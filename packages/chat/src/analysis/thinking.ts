// Which of its variables a template's thinking hangs on: the prompts that it makes with one value and another are compared.
import type { ReasoningFormat, ThinkingSwitch } from '../format.ts';
import { type Probe, reasoningNames } from './probe.ts';

/** Variables and the values that turn thinking on and off, as templates have them. */
const switches: readonly { name: string; on: unknown; off: unknown }[] = [
  { name: 'enable_thinking', on: true, off: false },
  { name: 'thinking', on: true, off: false },
  { name: 'thinking_mode', on: 'enabled', off: 'disabled' },
  { name: 'reasoning', on: true, off: false },
  { name: 'reasoning_effort', on: 'medium', off: 'none' },
  { name: 'thinking_budget', on: -1, off: 0 },
];
const efforts = ['reasoning_effort', 'thinking_effort'];
const levels = ['minimal', 'low', 'medium', 'high', 'max'];
const usualLevels = ['low', 'medium', 'high'];

/** Of a switch whose name is not known, the value that turns thinking off is the one with which the prompt ends it. */
function otherSwitches(probe: Probe, { close }: ReasoningFormat): typeof switches {
  const known = [...switches.map(({ name }) => name), ...efforts];
  const closes = (name: string, value: boolean) =>
    probe
      .render([], { prompt: true, extra: { [name]: value } })
      ?.trimEnd()
      .endsWith(close) ?? false;
  return reasoningNames(probe.template, known).map((name) => {
    const on = !closes(name, true) || closes(name, false);
    return { name, on, off: !on };
  });
}

export function findThinking(probe: Probe, reasoning: ReasoningFormat | undefined): ThinkingSwitch | undefined {
  const prompt = (extra: Record<string, unknown>) => probe.render([], { prompt: true, extra });
  const named = ({ name }: { name: string }) => new RegExp(`\\b${name}\\b`).test(probe.template);
  const likely = reasoningNames(probe.template, efforts).filter((name) => /effort|strength|level/.test(name));
  const effort = [...efforts, ...likely].map((name) => ({ name })).find(named)?.name;
  const found = [...switches.filter(named), ...(reasoning ? otherSwitches(probe, reasoning) : [])].find(
    ({ name, on, off }) => {
      const [withOn, withOff] = [prompt({ [name]: on }), prompt({ [name]: off })];
      return (
        withOn !== undefined && withOff !== undefined && withOn !== withOff && (name !== effort || offDiffers(withOff))
      );
    },
  );
  const values = effort === undefined ? [] : distinctLevels(effort);
  if (!found && values.length === 0) return undefined;
  return { ...found, ...(effort !== undefined && values.length > 0 && { effort: { name: effort, values } }) };

  /** A template that prints any word that it is given does not turn thinking off. */
  function offDiffers(withOff: string): boolean {
    const nonsense = prompt({ [effort!]: 'Zq7word' });
    return !nonsense?.includes('Zq7word') && withOff !== nonsense;
  }

  function distinctLevels(name: string): string[] {
    const renderings = levels.map((level) => ({ level, text: prompt({ [name]: level }) }));
    const known = renderings.filter(({ text }) => text !== undefined);
    if (new Set(known.map(({ text }) => text)).size < 2) return [];
    // Where it prints what it is given, only what it names, or what is usual, was in the model's training; else what makes
    // another prompt than a word that it does not know.
    const ofNonsense = prompt({ [name]: 'Zq7word' });
    const prints = ofNonsense?.includes('Zq7word') ?? false;
    const quoted = (level: string) => new RegExp(`['"]${level}['"]`).test(probe.template);
    const means = ({ level, text }: { level: string; text: string | undefined }) =>
      prints ? quoted(level) || usualLevels.includes(level) : text !== ofNonsense;
    return known.filter(means).map(({ level }) => level);
  }
}
