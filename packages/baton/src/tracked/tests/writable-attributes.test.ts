// Senders and cancellers write only the attributes that their roles on AWS allow.
import { afterAll, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { attributesOf, type NamingRequest } from 'baton-dev/testing/request-attributes';
import { chain, group, member } from '../../task/flow.ts';
import { CANCEL_ATTRIBUTES, FLOW_ATTRIBUTES, SENDER_ATTRIBUTES } from '../writable-attributes.ts';
import { signingBy, signingKey } from '../../../tests/support/signing-keys.ts';
import { AttackedStage, count, pay, sum, told } from './attacked-stage.ts';

let stage: AttackedStage;
beforeAll(async () => {
  stage = await AttackedStage.start(signingBy([signingKey('k1')]));
});
beforeEach(() => stage.begin());
afterAll(() => stage.stop());

/** The attributes that writes of the task store name while something is done. Reads name none. */
async function named(act: () => Promise<unknown>): Promise<string[]> {
  const send = jest.spyOn(stage.documents, 'send');
  await act();
  const commands = send.mock.calls.map(
    ([command]) => command as unknown as { readonly input: NamingRequest },
  );
  send.mockRestore();
  const others = commands
    .filter((each) => !(each instanceof UpdateCommand))
    .map((each) => each.constructor.name);
  expect(others.filter((name) => name !== 'GetCommand')).toEqual([]);
  const writes = commands.filter((each) => each instanceof UpdateCommand);
  return [...new Set(writes.flatMap(({ input }) => Array.from(attributesOf(input))))].toSorted();
}

const beyond = (names: readonly string[], allowed: readonly string[]): string[] =>
  names.filter((name) => !allowed.includes(name));

/** A send with all that a sender can say. */
const sends = () =>
  stage.tasks.send(
    pay,
    { to: 'Ann' },
    { delaySeconds: 60, parentId: 'p', depth: 3, subject: 'o-1', onEnd: told },
  );

test('a sender writes what a sender says, and nothing that the store keeps', async () => {
  const names = await named(sends);
  expect(beyond(names, SENDER_ATTRIBUTES)).toEqual([]);
  // No right is left over
  expect(beyond(SENDER_ATTRIBUTES, names)).toEqual([]);
  const kept = ['effects', 'begunEffects', 'result', 'error', 'claimId', 'deaths', 'next', 'groupId'];
  // With these a sender could have a task given up without an attempt, or tried for ever
  const counts = ['attempts', 'token', 'crashes', 'startedAt', 'nextAttemptAt'];
  for (const name of [...kept, ...counts]) expect(SENDER_ATTRIBUTES).not.toContain(name);
});

test('a function that starts flows also writes their links', async () => {
  const names = await named(async () => {
    await stage.tasks.start(chain([count, count, count]), 1);
    await stage.tasks.start(group([member(count, 1)], sum));
  });
  expect(beyond(names, [...SENDER_ATTRIBUTES, ...FLOW_ATTRIBUTES])).toEqual([]);
  expect(beyond(FLOW_ATTRIBUTES, names)).toEqual([]);
});

test('a function that cancels changes the state and what belongs to it', async () => {
  const { taskId } = await sends();
  const { taskId: last } = await stage.tasks.start(chain([count, count]), 1);
  const [first = ''] = stage.taskIds.slice(-1);
  const names = await named(async () => {
    await stage.tasks.cancel(taskId, { by: 'operator' });
    await stage.tasks.cancel(first);
  });
  await expect(stage.stateOf(last)).resolves.toBe('cancelled');
  expect(beyond(names, CANCEL_ATTRIBUTES)).toEqual([]);
  expect(beyond(CANCEL_ATTRIBUTES, names)).toEqual([]);
});
