import { describe, expect, it } from 'vitest';
import type { OutputItem } from './response-object.ts';
import { ResponseStore, type StoredResponse } from './response-store.ts';

function stored(id: string, previous: string | null = null, text = ''): StoredResponse {
  const output: OutputItem[] = [
    {
      id: `msg_${id}`,
      type: 'message',
      role: 'assistant',
      status: 'completed',
      content: [{ type: 'output_text', text, annotations: [], logprobs: [] }],
    },
  ];
  return {
    response: {
      id,
      object: 'response',
      created_at: 0,
      model: 'm',
      previous_response_id: previous,
      status: 'completed',
      output,
    },
    input: [{ id: `in_${id}`, type: 'message', role: 'user', content: [{ type: 'input_text', text: id }] }],
  };
}

const bytesOf = (response: StoredResponse): number => Buffer.byteLength(JSON.stringify(response));
const idsOf = (store: ResponseStore, id: string) => store.history(id).map((item) => item.id);

describe('ResponseStore', () => {
  it('gives the items of a response and of those before it, the oldest first', () => {
    const store = new ResponseStore();
    for (const [id, previous] of [
      ['a', null],
      ['b', 'a'],
      ['c', 'b'],
    ] as const)
      store.add(stored(id, previous));
    expect(idsOf(store, 'c')).toEqual(['in_a', 'msg_a', 'in_b', 'msg_b', 'in_c', 'msg_c']);
    expect(store.history(null)).toEqual([]);
  });

  it('stays within its bytes and lets the least recently used go, with its items', () => {
    const each = bytesOf(stored('a'));
    const store = new ResponseStore(3 * each);
    for (const id of ['a', 'b', 'c']) store.add(stored(id));
    expect(store.bytes).toBe(3 * each);
    store.get('a');
    store.add(stored('d'));
    expect(store.bytes).toBe(3 * each);
    expect(store.get('b')).toBeUndefined();
    expect(() => store.item('msg_b', 'p')).toThrow(/msg_b/);
    expect(store.item('msg_a', 'p')).toMatchObject({ id: 'msg_a' });
    for (const id of ['a', 'c', 'd']) expect(store.delete(id)).toBe(true);
    expect(store.bytes).toBe(0);
    expect(store.delete('a')).toBe(false);
  });

  it('keeps what others go on from longer than they themselves', () => {
    const store = new ResponseStore(3 * bytesOf(stored('a')));
    store.add(stored('a'));
    store.add(stored('b', 'a'));
    store.history('b');
    store.add(stored('x', 'y'));
    store.add(stored('z', 'y'));
    expect(store.get('b')).toBeUndefined();
    expect(store.get('a')).toBeDefined();
  });

  it('names the one that is missing in the middle', () => {
    const store = new ResponseStore();
    for (const [id, previous] of [
      ['a', null],
      ['b', 'a'],
      ['c', 'b'],
    ] as const)
      store.add(stored(id, previous));
    store.delete('a');
    expect(() => store.history('c')).toThrow(
      'The response "a", which "c" goes on from, is not stored here (any more).',
    );
    expect(() => store.history('q')).toThrow('The response "q" is not stored here (any more).');
  });

  it('does not keep what is larger than all that there may be', () => {
    const store = new ResponseStore(1000);
    store.add(stored('a', null, 'x'.repeat(2000)));
    expect(store.get('a')).toBeUndefined();
    expect(store.bytes).toBe(0);
  });
});
