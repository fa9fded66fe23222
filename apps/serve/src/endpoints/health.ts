// GET /health: 200 when requests can be answered; 503 while the model loads and after the engine has failed (what load
// balancers and orchestrators poll).
import { ApiError } from '../api-error.ts';
import { type Endpoint, readyModel } from '../endpoint.ts';

export const health: Endpoint = {
  method: 'GET',
  path: '/health',
  open: true,
  handle(context, server) {
    readyModel(server);
    if (server.engineFailure) throw new ApiError(503, server.engineFailure.code, server.engineFailure.message);
    return context.json({ status: 'ok' });
  },
};
