// GET /health: 200 when requests can be answered, 503 while the model loads (what load balancers and orchestrators poll).
import { type Endpoint, readyModel } from '../endpoint.ts';

export const health: Endpoint = {
  method: 'GET',
  path: '/health',
  open: true,
  handle(context, server) {
    readyModel(server);
    return context.json({ status: 'ok' });
  },
};
