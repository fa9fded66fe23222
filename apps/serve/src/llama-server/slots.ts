// llama-server's slots: GET /slots lists the places of running requests; POST /slots/{id}?action=save|restore|erase keeps the last
// text of one in a file of --slot-save-path, brings it back, or forgets it. Fields are llama-server's.
import type { SlotRequest } from '@quern/engine';
import { z } from 'zod';
import { ApiError } from '../api-error.ts';
import { type Endpoint, withLoadedModel } from '../endpoint.ts';
import { readRequest } from '../generate/generation-request.ts';

export const slots: Endpoint = {
  method: 'GET',
  path: '/slots',
  handle: (context, server) =>
    withLoadedModel(context, server, async ({ model: { engine, contextTokens } }) => {
      const { slots: all } = await engine.stats();
      if (context.req.query('fail_on_no_slot') && all.every(({ processing }) => processing))
        throw new ApiError(503, 'no_slot', 'No slot is available.', { headers: { 'retry-after': '1' } });
      const speculative = engine.info.speculation !== undefined;
      return context.json(
        all.map(({ id, processing, tokens }) => ({
          ...{ id, n_ctx: contextTokens, speculative, is_processing: processing, n_prompt_tokens: tokens },
        })),
      );
    }),
};

const fileShape = z.looseObject({ filename: z.string() });
const actions: readonly SlotRequest['action'][] = ['save', 'restore', 'erase'];

/** @throws ApiError 400 */
function slotNumber(id: string): number {
  if (/^\d{1,9}$/.test(id)) return Number(id);
  throw new ApiError(400, 'invalid_value', `Slots have numbers, and "${id}" is none.`, { param: 'id' });
}

export const slotAction: Endpoint = {
  method: 'POST',
  path: '/slots/:id',
  handle: (context, server) =>
    withLoadedModel(context, server, async ({ model: { engine } }) => {
      const action = actions.find((known) => known === context.req.query('action'));
      if (!action)
        throw new ApiError(400, 'invalid_value', `action must be one of ${actions.join(', ')}.`, { param: 'action' });
      const slot = slotNumber(context.req.param('id')!);
      if (action === 'erase') {
        const { tokens } = await engine.slot({ action, slot });
        return context.json({ id_slot: slot, n_erased: tokens });
      }
      const { filename } = await readRequest(context, fileShape);
      const { tokens, bytes, ms } = await engine.slot({ action, slot, file: filename });
      const told =
        action === 'save'
          ? { n_saved: tokens, n_written: bytes, timings: { save_ms: ms } }
          : { n_restored: tokens, n_read: bytes, timings: { restore_ms: ms } };
      return context.json({ id_slot: slot, filename, ...told });
    }),
};
