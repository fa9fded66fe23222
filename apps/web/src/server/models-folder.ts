// Where `--models DIR` is, however npm hands it over: scripts run in the folder of their package, and npm keeps the folder
// that the command was typed in as INIT_CWD; of `npm run web --models DIR`, without the two dashes, it makes a setting
// `models` of its own and leaves DIR as a bare argument.
import { resolve } from 'node:path';
import { QuernError } from '@quern/errors';

/** @throws QuernError `web-bad-arguments` */
export function modelsFolder(
  flag: string | undefined,
  positionals: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const setting = env.npm_config_models;
  const bare = flag === undefined && setting === 'true';
  if (positionals.length > (bare ? 1 : 0))
    throw new QuernError('web-bad-arguments', `There are more arguments than flags: ${positionals.join(' ')}.`, {
      remedy: 'Write two dashes before the flags: npm run web -- --models DIR --port 8090.',
    });
  const named = flag ?? (bare ? positionals[0] : setting);
  return named === undefined ? undefined : resolve(env.INIT_CWD ?? '.', named);
}
