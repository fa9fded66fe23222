// Request fields that cannot change an answer of this server, whatever they say. All others that no endpoint knows are told of
// in the header `x-quern-ignored`.
export const neutralFields: ReadonlySet<string> = new Set([
  // OpenAI: who asks and how it is booked.
  ...['user', 'store', 'metadata', 'service_tier', 'safety_identifier'],
  // OpenAI: hints that make an answer sooner. What is kept of earlier requests is found without them.
  ...['prediction', 'prompt_cache_key', 'prompt_cache_retention'],
  // OpenAI: a wish to models that were trained to hear it, which Codex and others send unasked. None that runs here was.
  'verbosity',
  // vLLM: this server’s tokens have their spaces in them; its schemas never end without being enforced; ids are its own.
  ...['spaces_between_special_tokens', 'guided_decoding_backend', 'request_id'],
  // llama-server: replies are the same with and without what is kept, guesses, and a sampler on the device. Contexts never shift.
  ...['cache_prompt', 'n_cache_reuse', 'n_keep', 'n_discard', 'backend_sampling', 'preserved_tokens'],
  ...['speculative.n_min', 'speculative.p_min', 'sse_ping_interval'],
]);
