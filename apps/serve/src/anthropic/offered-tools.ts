// Which tools the model is offered. Those that wait (`defer_loading`) come with the first result of a search that names them;
// instructions within the conversation add and remove tools. Templates have one list in front of all messages, so what is added
// goes to its end: the prompt is kept up to there.
import { ApiError } from '../api-error.ts';
import type { Message } from './content-blocks.ts';
import type { Tool } from './tool-shape.ts';

/** @throws ApiError 400 for a name that nobody gave */
export function offeredTools(tools: readonly Tool[], messages: readonly Message[]): Tool[] {
  const known = new Map(tools.map((tool) => [tool.name, tool]));
  const offered = new Map(tools.filter((tool) => !tool.defer_loading).map((tool) => [tool.name, tool]));
  const find = (name: string, param: string): Tool => {
    const tool = known.get(name);
    if (tool) return tool;
    throw new ApiError(400, 'invalid_value', `${param}: there is no tool "${name}" in tools.`, { param });
  };
  for (const [index, { role, content }] of messages.entries()) {
    if (role === 'assistant') continue;
    for (const [at, block] of (content ?? []).entries()) {
      const path = `messages.${index}.content.${at}`;
      if (block.type === 'tool_result')
        for (const [part, found] of (block.content ?? []).entries()) {
          if (found.type !== 'tool_reference') continue;
          offered.set(found.tool_name, find(found.tool_name, `${path}.content.${part}.tool_name`));
        }
      else if (block.type === 'tool_removal') offered.delete(find(block.tool.name, `${path}.tool.name`).name);
      else if (block.type === 'tool_addition') {
        const { tool } = block;
        const added = tool.type === 'tool_definition' ? tool.definition : find(tool.name, `${path}.tool.name`);
        known.set(added.name, added);
        offered.set(added.name, added);
      }
    }
  }
  return [...offered.values()];
}
