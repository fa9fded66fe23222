// llama-server's variables, for containers and units that are set up by them. A flag comes before a variable, a variable before a
// default. Those are taken whose flag means the same here; a row is all that a further one needs.
import type { FlagGroup } from '@quern/terminal';

const variables = new Map([
  ['--host', 'LLAMA_ARG_HOST'],
  ['--port', 'LLAMA_ARG_PORT'],
  ['--alias', 'LLAMA_ARG_ALIAS'],
  ['--api-key-file', 'LLAMA_ARG_API_KEY_FILE'],
  ['--ssl-cert-file', 'LLAMA_ARG_SSL_CERT_FILE'],
  ['--ssl-key-file', 'LLAMA_ARG_SSL_KEY_FILE'],
  ['--cors-origins', 'LLAMA_ARG_CORS_ORIGINS'],
  ['--timeout', 'LLAMA_ARG_TIMEOUT'],
  ['--ctx-size', 'LLAMA_ARG_CTX_SIZE'],
  ['--batch-size', 'LLAMA_ARG_BATCH'],
  ['--parallel', 'LLAMA_ARG_N_PARALLEL'],
  ['--cache-ram', 'LLAMA_ARG_CACHE_RAM'],
  ['--cache-type-k', 'LLAMA_ARG_CACHE_TYPE_K'],
  ['--cache-type-v', 'LLAMA_ARG_CACHE_TYPE_V'],
  ['--threads', 'LLAMA_ARG_THREADS'],
  ['--gpu-layers', 'LLAMA_ARG_N_GPU_LAYERS'],
  ['--n-predict', 'LLAMA_ARG_N_PREDICT'],
  ['--temp', 'LLAMA_ARG_TEMPERATURE'],
  ['--top-k', 'LLAMA_ARG_TOP_K'],
  ['--top-p', 'LLAMA_ARG_TOP_P'],
  ['--min-p', 'LLAMA_ARG_MIN_P'],
  ['--repeat-penalty', 'LLAMA_ARG_REPEAT_PENALTY'],
  ['--presence-penalty', 'LLAMA_ARG_PRESENCE_PENALTY'],
  ['--frequency-penalty', 'LLAMA_ARG_FREQUENCY_PENALTY'],
  ['--pooling', 'LLAMA_ARG_POOLING'],
  ['--model-draft', 'LLAMA_ARG_SPEC_DRAFT_MODEL'],
  ['--draft-max', 'LLAMA_ARG_SPEC_DRAFT_N_MAX'],
  ['--draft-min', 'LLAMA_ARG_SPEC_DRAFT_N_MIN'],
  ['--draft-p-min', 'LLAMA_ARG_SPEC_DRAFT_P_MIN'],
  ['--spec-type', 'LLAMA_ARG_SPEC_TYPE'],
  ['--rope-scaling', 'LLAMA_ARG_ROPE_SCALING_TYPE'],
  ['--rope-scale', 'LLAMA_ARG_ROPE_SCALE'],
  ['--rope-freq-base', 'LLAMA_ARG_ROPE_FREQ_BASE'],
  ['--rope-freq-scale', 'LLAMA_ARG_ROPE_FREQ_SCALE'],
  ['--chat-template', 'LLAMA_ARG_CHAT_TEMPLATE'],
  ['--chat-template-file', 'LLAMA_ARG_CHAT_TEMPLATE_FILE'],
  ['--reasoning', 'LLAMA_ARG_REASONING'],
  ['--reasoning-budget', 'LLAMA_ARG_THINK_BUDGET'],
  ['--reasoning-effort', 'LLAMA_ARG_REASONING_EFFORT'],
  ['--chat-template-kwargs', 'LLAMA_ARG_CHAT_TEMPLATE_KWARGS'],
  ['--models-dir', 'LLAMA_ARG_MODELS_DIR'],
  ['--models-preset', 'LLAMA_ARG_MODELS_PRESET'],
  ['--models-max', 'LLAMA_ARG_MODELS_MAX'],
]);

/** The same flags, each with its variable. */
export const withEnvironment = (groups: readonly FlagGroup[]): readonly FlagGroup[] =>
  groups.map(({ title, flags }) => ({
    title,
    flags: flags.map((flag) => {
      const environment = variables.get(/--[\w-]+/.exec(flag.flags)![0]);
      return environment === undefined ? flag : { ...flag, environment };
    }),
  }));
