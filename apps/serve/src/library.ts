// What a program that wants the server itself imports, as `@quern/serve-command/server`.
export { ApiError } from './api-error.ts';
export { type Base, createModel } from './created/create-model.ts';
export { type CreateRequest, type CreateState, createRequestOf, parameterNames } from './created/create-request.ts';
export { createdPart } from './created/created-part.ts';
export type { Endpoint, ServerState } from './endpoint.ts';
export type { GenerationRecord } from './generate/generation.ts';
export { samplingOptions } from './generate/sampling-fields.ts';
export { ManyModels, type ManyModelsOptions, type ModelSource } from './models/many-models.ts';
export { type ModelShelf, modelShelf } from './models/model-shelf.ts';
export { readSources } from './models/model-sources.ts';
export { type LoadServedModelOptions, loadServedModel, type ServedModel } from './models/served-model.ts';
export {
  type RunningServer,
  type ServerOptions,
  type SingleServer,
  type SingleServerOptions,
  serveModels,
  startServer,
} from './server.ts';
