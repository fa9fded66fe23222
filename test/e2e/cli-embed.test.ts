// `quern embed` as a person calls it: transformers' vectors of a checkpoint, and refusals that say what to do.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkpointOf } from '../golden/forward/architectures.ts';
import { maxDifference, recordedFloats } from '../golden/forward/recorded.ts';
import { runCommand } from './cli-fixture.ts';

const bert = checkpointOf('bert');
describe.skipIf(!bert)('quern embed (skipped without a checkpoint of bert)', () => {
  it('prints one vector for each text, in their order', async () => {
    const { texts } = JSON.parse(readFileSync(join(bert!, 'expected.json'), 'utf8')) as { texts: string[] };
    const flags = texts.flatMap((text) => ['--text', text]);
    const { code, stdout } = await runCommand('embed', bert!, ...flags, '--json');
    expect(code).toBe(0);
    const { embeddings, pooling, normalized } = JSON.parse(stdout);
    expect([embeddings.length, pooling, normalized]).toEqual([texts.length, 'mean', true]);
    const recorded = recordedFloats(join(bert!, 'expected.safetensors'), 'embeddings');
    expect(maxDifference(Float32Array.from(embeddings.flat()), recorded)).toBeLessThan(1e-5);
  });

  it('cuts nothing off', async () => {
    const { code, stdout } = await runCommand('embed', bert!, '--text', 'king '.repeat(200), '--json');
    expect(code).not.toBe(0);
    expect(JSON.parse(stdout).error.code).toBe('context-exceeded');
  });
});
