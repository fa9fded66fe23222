// Models that Ollama's client creates, on one server that all of these tests share, in this order.
import { beforeAll } from 'vitest';
import { setUp } from './ollama-create/fixture.ts';
import './ollama-create/sending.cases.ts';
import './ollama-create/descriptions.cases.ts';
import './ollama-create/refusals.cases.ts';
import './ollama-create/folders.cases.ts';
import './ollama-create/own-files.cases.ts';

beforeAll(setUp);
