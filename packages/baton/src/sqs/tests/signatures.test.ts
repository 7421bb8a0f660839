import { expect, test } from '@jest/globals';
import { signingBy, signingKey } from '../../../tests/support/signing-keys.ts';
import { Signatures, type SignedRow } from '../signatures.ts';

const ROW: SignedRow = {
  taskId: 't-1',
  task: 'tests.work',
  queue: 'default',
  parentId: 'p-1',
  traceparent: '00-1e45e9da8f939b8d6b221a90f738ed8d-5e67a08bd8762cc5-01',
  depth: 1,
  subject: 'order-1',
  onEnd: [{ task: 'tests.told', queue: 'default' }],
  next: { taskId: 't-2', task: 'tests.next', queue: 'default' },
  groupId: 'g-1',
  flowEnd: { taskId: 't-3', task: 'tests.last', queue: 'default' },
  afterId: 't-0',
  flowId: 'f-1',
  memberIds: ['t-1', 't-4'],
};
const signatures = new Signatures(signingBy([signingKey('one')]));

test.each(Object.keys(ROW))("a row's signature covers %s: another value or none is a fault", async (name) => {
  const signed = { ...ROW, signature: await signatures.ofRow(ROW) };
  await expect(signatures.faultInRow(signed)).resolves.toBeUndefined();
  const others = [{ [name]: 'another' }, { [name]: undefined }];
  for (const other of others)
    await expect(signatures.faultInRow({ ...signed, ...other })).resolves.toMatchObject({
      name: 'BadSignatureError',
    });
});
