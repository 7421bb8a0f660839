import { describe, expect, test } from '@jest/globals';
import { Batcher } from '../batcher.ts';
import { BatchEntryError, callInBatch } from '../sqs-batch.ts';

const fulfilled = (value: string): PromiseSettledResult<string> => ({ status: 'fulfilled', value });

describe('a batcher', () => {
  test('joins calls of the same moment into batches of ten, and gives each call its own result', async () => {
    const batches: (readonly number[])[] = [];
    const batcher = new Batcher<number, string>({
      run: async (entries) => {
        batches.push(entries);
        return entries.map((entry) => fulfilled(`result ${entry}`));
      },
    });
    const results = await Promise.all(Array.from({ length: 23 }, (_, index) => batcher.add(index)));
    expect(results[17]).toBe('result 17');
    expect(batches.map(({ length }) => length)).toEqual([10, 10, 3]);
  });

  test('starts a new batch if the next entry would make the batch too large', async () => {
    const batches: (readonly string[])[] = [];
    const batcher = new Batcher<string, string>({
      maxSize: 10,
      sizeOf: (entry) => entry.length,
      run: async (entries) => {
        batches.push(entries);
        return entries.map(fulfilled);
      },
    });
    await Promise.all(['12345', '12345', '1', '1234567890', '1'].map((entry) => batcher.add(entry)));
    expect(batches).toEqual([['12345', '12345'], ['1'], ['1234567890'], ['1']]);
  });

  test('reports a failed entry only to its own caller', async () => {
    const batcher = new Batcher<number, string>({
      run: async (entries) =>
        entries.map((entry) =>
          entry === 2 ? { status: 'rejected', reason: new Error('not 2') } : fulfilled('ok'),
        ),
    });
    const results = await Promise.allSettled([1, 2, 3].map((entry) => batcher.add(entry)));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  test('reports a failed batch to all its callers', async () => {
    const batcher = new Batcher<number, string>({ run: () => Promise.reject(new Error('no broker')) });
    const results = await Promise.allSettled([1, 2].map((entry) => batcher.add(entry)));
    expect(results).toEqual([1, 2].map(() => ({ status: 'rejected', reason: new Error('no broker') })));
  });
});

describe('a batch call', () => {
  interface Entry {
    readonly Id: string;
    readonly body: string;
  }

  test('retries the entries that are not at fault, without the entries that succeeded', async () => {
    const calls: string[][] = [];
    const results = await callInBatch(
      ['a', 'b', 'c'].map((body) => ({ body })),
      async (entries: Entry[]) => {
        calls.push(entries.map(({ body }) => body));
        const failing = calls.length < 3 ? entries.filter(({ body }) => body === 'b') : [];
        return {
          Successful: entries.filter((entry) => !failing.includes(entry)),
          Failed: failing.map(({ Id }) => ({ Id, Code: 'InternalError', SenderFault: false })),
        };
      },
    );
    expect(calls).toEqual([['a', 'b', 'c'], ['b'], ['b']]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled']);
  });

  test('counts the entries of an earlier request as done if a later request fails', async () => {
    let calls = 0;
    const results = await callInBatch(
      ['a', 'b'].map((body) => ({ body })),
      async ([first, second]: Entry[]) => {
        calls += 1;
        if (calls > 1) throw new Error('connection lost');
        return {
          Successful: [first].filter((entry) => entry !== undefined),
          Failed: [{ Id: second?.Id, Code: 'InternalError', SenderFault: false }],
        };
      },
    );
    expect(results).toMatchObject([
      { status: 'fulfilled' },
      { status: 'rejected', reason: { message: 'connection lost' } },
    ]);
  });

  test('recognizes an error code with any namespace before it', () => {
    const codes = [
      'AWS.SimpleQueueService.MessageNotInflight',
      'com.amazonaws.sqs#MessageNotInflight',
      'MessageNotInflight',
    ];
    expect(codes.map((code) => new BatchEntryError(code, undefined, true).code)).toEqual(
      codes.map(() => 'MessageNotInflight'),
    );
  });

  test('does not retry an entry that is at fault', async () => {
    let calls = 0;
    const [result] = await callInBatch([{ body: 'a' }], async ([entry]: Entry[]) => {
      calls += 1;
      return {
        Failed: [
          { Id: entry?.Id, Code: 'InvalidMessageContents', Message: 'bad character', SenderFault: true },
        ],
      };
    });
    expect(calls).toBe(1);
    expect(result).toEqual({
      status: 'rejected',
      reason: new BatchEntryError('InvalidMessageContents', 'bad character', true),
    });
  });

  test('rejects an entry after four requests; an entry that an answer does not mention has failed', async () => {
    let calls = 0;
    const [result] = await callInBatch([{ body: 'a' }], async () => {
      calls += 1;
      return {};
    });
    expect(calls).toBe(4);
    expect(result).toMatchObject({ status: 'rejected', reason: { code: 'NoAnswer' } });
  });
});
