// The environments are those that npm 11.19 makes of the command lines named.
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { modelsFolder } from './models-folder.ts';

const here = resolve('/home/me');

test.each([
  ['npm run web -- --models m', 'm', [], {}, resolve(here, 'm')],
  ['npm run web --models m', undefined, ['m'], { npm_config_models: 'true' }, resolve(here, 'm')],
  ['npm run web --models=m', undefined, [], { npm_config_models: 'm' }, resolve(here, 'm')],
  ['npm run web -- --models /m', '/m', [], {}, resolve('/m')],
  ['npm run web', undefined, [], {}, undefined],
])('%s', (_, flag, positionals, env, expected) => {
  expect(modelsFolder(flag, positionals, { INIT_CWD: here, ...env })).toBe(expected);
});

test('arguments that npm took the flags of are refused', () => {
  const env = { INIT_CWD: here, npm_config_models: 'true', npm_config_port: 'true' };
  expect(() => modelsFolder(undefined, ['m', '80'], env)).toThrow(/more arguments than flags: m 80/);
  expect(() => modelsFolder('m', ['x'], {})).toThrow(/more arguments/);
});
