// The tools of a request as functions, which is what chat templates know, and the way back from a call to the tool's kind.
// What this server cannot offer is left out, since clients name all that they know (Codex: web_search, local_shell, …), and
// the response tells which tools it was made with.
import { ApiError } from '../../api-error.ts';
import type { RequestTool } from '../../chat/messages.ts';
import type { CustomTool, FunctionTool, NamespaceTool, PromptRequest } from './request-shape.ts';

type RequestedTool = NonNullable<PromptRequest['tools']>[number];
type OwnTool = FunctionTool | CustomTool;

export interface OfferedTool {
  readonly definition: RequestTool;
  /** Custom tools take a text, here as the only argument of a function. */
  readonly kind: 'function' | 'custom';
  readonly name: string;
  readonly namespace?: string;
}

export interface Tools {
  /** By the names that the prompt gives them. */
  readonly offered: ReadonlyMap<string, OfferedTool>;
  /** As requested, without those left out. */
  readonly kept: readonly RequestedTool[];
  /** Types of those left out. */
  readonly leftOut: readonly string[];
}

/** The argument that stands for a custom tool's text. */
export const customArgument = 'input';

/** Tools of a namespace have its name before theirs. */
export function promptName(name: string, namespace: string | null | undefined): string {
  if (!namespace) return name;
  return namespace.endsWith('__') ? namespace + name : `${namespace}__${name}`;
}

/** @throws ApiError 400 when two tools have one name */
export function toolsOf(requested: readonly RequestedTool[]): Tools {
  const offered = new Map<string, OfferedTool>();
  const kept: RequestedTool[] = [];
  const leftOut: string[] = [];
  for (const [index, tool] of requested.entries()) {
    const members = offersOf(tool);
    if (members.length === 0) {
      leftOut.push(tool.type);
      continue;
    }
    kept.push(tool);
    for (const member of members) {
      const name = member.definition.function.name;
      if (offered.has(name)) {
        const param = `tools.${index}.name`;
        throw new ApiError(400, 'invalid_value', `${param}: there are two tools "${name}".`, { param });
      }
      offered.set(name, member);
    }
  }
  return { offered, kept, leftOut };
}

function offersOf(tool: RequestedTool): OfferedTool[] {
  if (isNamespace(tool)) return tool.tools.flatMap((member) => offer(member, tool.name));
  return isOwn(tool) ? offer(tool) : [];
}

const isNamespace = (tool: RequestedTool): tool is NamespaceTool => tool.type === 'namespace';
const isOwn = (tool: RequestedTool): tool is OwnTool => tool.type === 'function' || tool.type === 'custom';

/** Nothing for a custom tool whose text must follow a grammar that nothing here can enforce (Lark). */
function offer(tool: OwnTool, namespace?: string): OfferedTool[] {
  if (tool.type === 'custom' && tool.format?.type === 'grammar' && tool.format.syntax === 'lark') return [];
  const definition = {
    name: promptName(tool.name, namespace),
    ...(tool.description ? { description: tool.description } : {}),
    parameters: tool.type === 'function' ? (tool.parameters ?? noParameters) : customParameters(tool),
    ...(tool.type === 'function' && typeof tool.strict === 'boolean' ? { strict: tool.strict } : {}),
  };
  return [
    {
      kind: tool.type,
      name: tool.name,
      ...(namespace === undefined ? {} : { namespace }),
      definition: { type: 'function', function: definition },
    },
  ];
}

const noParameters = { type: 'object', properties: {} };

function customParameters({ format }: CustomTool): object {
  const text = { type: 'string', ...(format?.type === 'grammar' ? { pattern: `^(?:${format.definition})$` } : {}) };
  return {
    type: 'object',
    properties: { [customArgument]: text },
    required: [customArgument],
    additionalProperties: false,
  };
}
