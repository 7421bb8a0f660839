import { laned, listener, second, tracked } from './contracts.ts';
import { BEGIN_MS, DAY, type Scene, trace } from './scene.ts';
import type { Stage } from './stage.ts';
import { putBack } from './untracked-scenes.ts';

const payload = { text: 'four' };
const send = (taskId: string) => async (stage: Stage) => {
  await stage.client.send(tracked, payload, { taskId, trace, subject: 'order-7' });
};
const status = (taskId: string) => (stage: Stage) => stage.store.find(taskId);

/** Scenes of single tracked tasks. */
export const trackedScenes: readonly Scene[] = [
  {
    name: 'tracked-done',
    steps: [
      { does: 'sends a task', at: 0, act: send('t-1') },
      { does: 'runs it', at: 2, act: (stage) => stage.run(0) },
      { does: 'gets its message again', at: 3, act: (stage) => stage.run(0, { receives: 2 }) },
      { does: 'tells the listener', at: 4, act: (stage) => stage.run(1) },
      { does: 'tells its state', at: 5, act: status('t-1') },
      { does: 'sends it again', at: 6, act: send('t-1') },
      {
        does: 'refuses another under its id',
        at: 7,
        act: (stage) =>
          stage.client
            .send(tracked, { text: 'five' }, { taskId: 't-1', trace })
            .then(() => 'sent')
            .catch(({ name, message }: Error) => ({ name, message })),
      },
    ],
  },
  {
    name: 'tracked-later',
    steps: [
      {
        does: 'sends a task for later, in a lane',
        at: 0,
        act: async (stage) => {
          const notBefore = new Date(BEGIN_MS + 6 * DAY * 1000);
          const links = { parentId: 't-0', depth: 2, subject: 'order-7', onEnd: listener };
          await stage.client.send(
            second,
            { length: 4 },
            { taskId: 't-1', trace, lane: 'high', notBefore, ...links },
          );
        },
      },
      { does: 'is early', at: 900, act: (stage) => stage.run(0, { ageSeconds: 900 }) },
      {
        does: 'is early and old',
        at: 5 * DAY + 60,
        act: (stage) => stage.run(0, { ageSeconds: 5 * DAY + 60, receives: 11 }),
      },
      {
        does: 'is early after many receives',
        at: 5 * DAY + 120,
        act: (stage) => stage.run(1, { receives: 20 }),
      },
      { does: 'runs', at: 6 * DAY, act: (stage) => stage.run(2, { receives: 2 }) },
    ],
  },
  {
    name: 'tracked-retries',
    steps: [
      { does: 'sends a task', at: 0, act: send('t-1') },
      { does: 'has effects, and fails', at: 2, act: (stage) => stage.run(0, { does: 'charges' }) },
      { does: 'tells its state', at: 3, act: status('t-1') },
      { does: 'is early', at: 4, act: (stage) => stage.run(0, { receives: 2 }) },
      {
        does: 'knows its effects, and fails',
        at: 10,
        act: (stage) => stage.run(0, { does: 'charges', receives: 3 }),
      },
      { does: 'is postponed', at: 30, act: (stage) => stage.run(0, { does: 'postpones', receives: 4 }) },
      { does: 'tells its state', at: 31, act: status('t-1') },
      { does: 'fails at last', at: 1300, act: (stage) => stage.run(0, { does: 'fails', receives: 5 }) },
      { does: 'tells the listener', at: 1301, act: (stage) => stage.run(1) },
      { does: 'sets its message aside again', at: 1302, act: (stage) => stage.run(0, { receives: 6 }) },
      { does: 'is put back by the tool', at: 1400, act: putBack.byTool },
      { does: 'is rejected', at: 1401, act: (stage) => stage.run(3, { does: 'rejects' }) },
      { does: 'is put back by hand', at: 1500, act: putBack.byHand },
      { does: 'succeeds', at: 1502, act: (stage) => stage.run(5) },
      { does: 'tells its state', at: 1503, act: status('t-1') },
    ],
  },
  {
    name: 'tracked-dead-letters',
    steps: [
      { does: 'sends a task', at: 0, act: send('t-1') },
      {
        does: 'gets another payload',
        at: 1,
        act: (stage) => {
          const { MessageBody = '' } = stage.work[0] ?? {};
          return stage.run(0, { change: { body: MessageBody.replace('"four"', '4') } });
        },
      },
      { does: 'sends another', at: 2, act: send('t-2') },
      {
        does: 'gets another contract that nobody knows',
        at: 3,
        act: async (stage) => {
          const { MessageBody = '' } = stage.work[1] ?? {};
          return stage.run(1, {
            patienceSeconds: 0,
            change: { body: MessageBody.replace('recorded.tracked', 'recorded.gone') },
          });
        },
      },
      { does: 'sends another', at: 4, act: send('t-3') },
      { does: 'lets its time pass', at: 5, act: (stage) => stage.run(2, { does: 'hangs' }) },
      { does: 'lets its time pass', at: 20, act: (stage) => stage.run(2, { does: 'hangs', receives: 2 }) },
      {
        does: 'lets its time pass at last',
        at: 60,
        act: (stage) => stage.run(2, { does: 'hangs', receives: 3 }),
      },
      { does: 'is put back by a redrive', at: 70, act: putBack.byRedrive },
      { does: 'is given back', at: 71, act: (stage) => stage.giveBack(4) },
      { does: 'begins anew', at: 72, act: (stage) => stage.run(4, { does: 'fails', receives: 20 }) },
      { does: 'goes on in a copy', at: 90, act: (stage) => stage.run(5, { does: 'rejects' }) },
      {
        does: 'gets the copy again, which puts nothing back',
        at: 91,
        act: (stage) => stage.run(5, { receives: 2 }),
      },
    ],
  },
  {
    name: 'tracked-effects',
    steps: [
      { does: 'sends a task', at: 0, act: send('t-1') },
      { does: 'loses an effect', at: 2, act: (stage) => stage.run(0, { does: 'loses an effect' }) },
      { does: 'finds it', at: 20, act: (stage) => stage.run(0, { does: 'loses an effect', receives: 2 }) },
      { does: 'sends another', at: 21, act: send('t-2') },
      { does: 'keeps too much', at: 22, act: (stage) => stage.run(2, { does: 'keeps too much' }) },
      { does: 'is put back by the tool', at: 23, act: putBack.byTool },
      { does: 'does not run it again', at: 24, act: (stage) => stage.run(4, { does: 'keeps too much' }) },
    ],
  },
  {
    name: 'tracked-wrong-clock',
    steps: [
      { does: 'sends a task', at: 0, act: send('t-1') },
      { does: 'dies in ten days', at: 10 * DAY, act: (stage) => stage.crash('t-1', tracked.name) },
      { does: 'doubts its lease', at: 20, act: (stage) => stage.run(0) },
      { does: 'takes it over', at: 60, act: (stage) => stage.run(0, { receives: 2 }) },
    ],
  },
  {
    name: 'tracked-crashes',
    steps: [
      { does: 'sends a task', at: 0, act: send('t-1') },
      { does: 'dies', at: 1, act: (stage) => stage.crash('t-1', tracked.name) },
      { does: 'is being run by another', at: 10, act: (stage) => stage.run(0, { receives: 2 }) },
      {
        does: 'takes it over, and postpones',
        at: 40,
        act: (stage) => stage.run(0, { does: 'postpones', receives: 3 }),
      },
      { does: 'dies again', at: 1300, act: (stage) => stage.crash('t-1', tracked.name) },
      {
        does: 'takes it over, and dies alone',
        at: 1400,
        act: (stage) => stage.crash('t-1', tracked.name, 'alone'),
      },
      {
        does: 'takes it over, and dies in company',
        at: 1500,
        act: (stage) => stage.crash('t-1', tracked.name, 'in company'),
      },
      { does: 'gives it up', at: 1600, act: (stage) => stage.run(0, { receives: 7 }) },
    ],
  },
  {
    name: 'tracked-cancelled',
    steps: [
      { does: 'sends a task', at: 0, act: send('t-1') },
      { does: 'fails', at: 2, act: (stage) => stage.run(0, { does: 'charges' }) },
      { does: 'cancels it', at: 3, act: (stage) => stage.client.cancel('t-1') },
      { does: 'gets its message', at: 20, act: (stage) => stage.run(0, { receives: 2 }) },
      { does: 'tells the listener', at: 21, act: (stage) => stage.run(1) },
    ],
  },
  {
    name: 'tracked-while-the-store-is-away',
    steps: [
      { does: 'sends a task', at: 0, act: send('t-1') },
      {
        does: 'gets no answer to its claim, which was made',
        at: 1,
        act: async (stage) => {
          stage.table = 'loses its answers';
          return stage.run(0).finally(() => (stage.table = 'answers'));
        },
      },
      {
        does: 'takes the claim over, and cannot write its outcome down',
        at: 20,
        act: (stage) => stage.giveUp(1),
      },
      { does: 'takes that over, and succeeds', at: 40, act: (stage) => stage.run(2) },
      {
        does: 'gets another while the table is away',
        at: 41,
        act: async (stage) => {
          stage.table = 'is away';
          return stage.run(0, { receives: 9, ageSeconds: 600 }).finally(() => (stage.table = 'answers'));
        },
      },
      {
        does: 'sends an untracked one',
        at: 42,
        act: (stage) => stage.client.send(laned, payload, { taskId: 't-2', trace }),
      },
    ],
  },
];
