import { expect, test } from '@jest/globals';
import { implement } from '../../task/implementation.ts';
import { runTask, TestBroker } from '../index.ts';
import { charge, greet } from './work.ts';

const greeter = implement(greet, ({ name }) => ({ text: name }));
const charger = implement(charge, () => ({ receipt: 'r' }));

test('wrong payloads and results are compile errors', async () => {
  // @ts-expect-error -- a name is a text
  await runTask(greeter, { name: 7 });
  // @ts-expect-error -- a name is needed
  await runTask(greeter, {});
  const { result } = await runTask(charger, { cents: 1 });
  // @ts-expect-error -- a receipt is a text
  const receipt: number | undefined = result?.receipt;
  expect(receipt).toBe('r');
  const broker = new TestBroker({ implementations: [greeter, charger] });
  // @ts-expect-error -- cents are a number
  await expect(broker.send(charge, { cents: 'many' })).rejects.toThrow('cents');
  // @ts-expect-error -- there is no such lane
  await expect(broker.send(charge, { cents: 1 }, { lane: 'low' })).rejects.toThrow('lane');
});
