// POST /v1/responses. Whole or streamed, a response is made of the same events.
import type { Context } from 'hono';
import { prepareChat } from '../../chat/chat.ts';
import { type Endpoint, type ServerState, withModel } from '../../endpoint.ts';
import { readRequest } from '../../generate/generation-request.ts';
import { headerList } from '../../http/header-list.ts';
import type { ModelLease } from '../../models/model-host.ts';
import { respond } from '../../respond.ts';
import { namedEventStream } from '../../stream-form.ts';
import { createdSeconds } from '../response-fields.ts';
import { chatOf, showsLogProbs } from './chat-request.ts';
import { conversationOf } from './conversation.ts';
import { newId } from './output-items.ts';
import { type ResponsesRequest, refusedFields, responsesShape } from './request-shape.ts';
import { ResponseEvents } from './response-events.ts';
import { responseHead } from './response-object.ts';

/** Types of tools that the model was not offered, since nothing here is like them. */
const leftOutHeader = 'quern-tools-left-out';

/** Fields of the chat that have another name here. */
const names = { response_format: 'text.format' };

export const createResponse: Endpoint = {
  method: 'POST',
  path: '/v1/responses',
  aliases: ['/responses'],
  errorBody: (error) => error.renamed(names).body(),
  async handle(context, server) {
    const request = await readRequest(context, responsesShape, refusedFields);
    return withModel(context, server, request.model, (lease) => answer(context, server, lease, request));
  },
};

async function answer(
  context: Context,
  server: ServerState,
  lease: ModelLease,
  request: ResponsesRequest,
): Promise<Response> {
  const conversation = conversationOf(request, server.responses);
  const { input, tools } = conversation;
  const chat = await prepareChat(lease, await chatOf(request, conversation), server, context.req.raw.signal);
  const { model } = lease;
  const events = new ResponseEvents({
    head: responseHead(request, { id: newId('resp'), model: model.id, createdSeconds: createdSeconds(), tools }),
    tools: tools.offered,
    tokenizer: model.tokenizer,
    showsLogProbs: showsLogProbs(request),
    summarizes: Boolean(request.reasoning?.summary ?? request.reasoning?.generate_summary),
    seals: request.include?.includes('reasoning.encrypted_content') ?? false,
  });
  const stream = () =>
    events.read(chat.replies(1)[0]!, (response) => {
      if (request.store ?? true) server.responses.add({ response, input });
    });
  const whole = async (): Promise<unknown> => {
    let last: unknown;
    for await (const event of stream()) last = event.response ?? last;
    return last;
  };
  const form = request.stream ? namedEventStream((error) => events.failed(error)) : undefined;
  const response = await respond(server, lease, { chunks: stream, whole }, form);
  if (tools.leftOut.length > 0) response.headers.set(leftOutHeader, headerList([...new Set(tools.leftOut)]));
  return response;
}
