import { laned, plain } from './contracts.ts';
import { attributesPutBack } from './library.ts';
import { BEGIN_MS, DAY, type Scene, trace } from './scene.ts';
import type { SentMessage, Stage } from './stage.ts';

const payload = { text: 'four' };
const send = (taskId: string) => async (stage: Stage) => stage.client.send(plain, payload, { taskId, trace });

/** The last dead letter. */
function lastLetter({ sent }: Stage): SentMessage {
  const letter = sent.findLast(({ queue }) => queue.endsWith('-dlq'));
  if (!letter) throw new Error('No dead letter');
  return letter;
}

/** Puts the last dead letter back: as `npm run dead-letters`, as AWS's redrive, or as a person does. */
export const putBack = {
  byTool: (stage: Stage): void => {
    const { MessageBody, MessageAttributes = {} } = lastLetter(stage);
    stage.put({ queue: 'jobs', MessageBody, MessageAttributes: attributesPutBack(MessageAttributes) });
  },
  byRedrive: (stage: Stage): void => stage.put({ ...lastLetter(stage), queue: 'jobs' }),
  byHand: (stage: Stage): void => {
    const { MessageBody } = lastLetter(stage);
    stage.put({ queue: 'jobs', MessageBody });
  },
};

/** Scenes of untracked tasks. */
export const untrackedScenes: readonly Scene[] = [
  {
    name: 'plain-too-large',
    steps: [
      { does: 'sends a task', at: 0, act: send('t-1') },
      {
        does: 'gets a body with too many levels',
        at: 1,
        act: (stage) => {
          const { MessageBody = '' } = stage.sent[0] ?? {};
          const nested = '['.repeat(1100) + ']'.repeat(1100);
          stage.put({
            queue: 'jobs',
            MessageBody: MessageBody.replace('"data":{', `"data":{"nested":${nested},`),
          });
          return stage.run(1);
        },
      },
    ],
  },
  {
    name: 'plain-sends',
    steps: [
      { does: 'sends a task', at: 0, act: send('t-1') },
      {
        does: 'sends one with all that a sender may say',
        at: 1,
        act: ({ client }) =>
          client.send(
            laned,
            { text: 'a\u0001\uFFFE \u{1F600} "quoted"\\ \u2028' },
            {
              taskId: 't-2',
              trace,
              subject: 'order-7',
              parentId: 't-1',
              depth: 3,
              lane: 'high',
              delaySeconds: 60,
            },
          ),
      },
      {
        does: 'sends one for later',
        at: 2,
        act: ({ client }) =>
          client.send(plain, payload, { taskId: 't-3', trace, notBefore: new Date(BEGIN_MS + 500_500) }),
      },
      {
        does: 'sends one under a key',
        at: 3,
        act: ({ client }) =>
          client.send(laned, payload, { deduplicationKey: 'order-7', trace, lane: 'normal' }),
      },
      { does: 'runs the first', at: 4, act: (stage) => stage.run(0) },
      { does: 'runs the second', at: 70, act: (stage) => stage.run(1) },
      { does: 'runs the one under a key', at: 71, act: (stage) => stage.run(3) },
    ],
  },
  {
    name: 'plain-retries',
    steps: [
      { does: 'sends a task', at: 0, act: send('t-1') },
      { does: 'fails', at: 2, act: (stage) => stage.run(0, { does: 'fails' }) },
      {
        does: 'asks for a retry',
        at: 10,
        act: (stage) => stage.run(0, { does: 'asks for a retry', receives: 2 }),
      },
      { does: 'is released', at: 101, act: (stage) => stage.run(0, { does: 'postpones', receives: 3 }) },
      { does: 'fails at last', at: 1400, act: (stage) => stage.run(0, { does: 'fails', receives: 4 }) },
      { does: 'is put back by the tool', at: 2000, act: putBack.byTool },
      { does: 'succeeds', at: 2001, act: (stage) => stage.run(1) },
      { does: 'is put back by a redrive', at: 2002, act: putBack.byRedrive },
      { does: 'is rejected', at: 2003, act: (stage) => stage.run(2, { does: 'rejects' }) },
    ],
  },
  {
    name: 'plain-dead-letters',
    steps: [
      { does: 'sends a task', at: 0, act: send('t-1') },
      { does: 'rejects it', at: 1, act: (stage) => stage.run(0, { does: 'rejects' }) },
      { does: 'lets its time pass', at: 2, act: (stage) => stage.run(0, { does: 'hangs', receives: 3 }) },
      {
        does: 'finds that its workers died, while the table is away',
        at: 3,
        act: async (stage) => {
          stage.table = 'is away';
          return stage.run(0, { receives: 7 }).finally(() => (stage.table = 'answers'));
        },
      },
      {
        does: 'fails 5 days after it was sent',
        at: 5 * DAY,
        act: (stage) => stage.run(0, { does: 'fails', ageSeconds: 5 * DAY }),
      },
      {
        does: 'postpones 5 days after it was sent',
        at: 5 * DAY,
        act: (stage) => stage.run(0, { does: 'postpones', ageSeconds: 5 * DAY }),
      },
      {
        does: 'gets no JSON',
        at: 4,
        act: (stage) => {
          stage.put({ queue: 'jobs', MessageBody: 'not { JSON' });
          return stage.run(1);
        },
      },
      {
        does: 'gets no envelope, with an attribute of its sender',
        at: 5,
        act: (stage) => {
          const sender = { DataType: 'String', StringValue: 'erp' };
          stage.put({ queue: 'jobs', MessageBody: '{"specversion":"1.0"}', MessageAttributes: { sender } });
          return stage.run(2);
        },
      },
      { does: 'gives that back', at: 6, act: (stage) => stage.giveBack(2) },
      {
        does: 'gets a wrong payload, in a lane',
        at: 7,
        act: (stage) => {
          const { MessageBody = '' } = stage.work[0] ?? {};
          stage.put({ queue: 'jobs_high', MessageBody: MessageBody.replace('"four"', '4') });
          return stage.run(3);
        },
      },
    ],
  },
  {
    name: 'plain-copies',
    steps: [
      { does: 'sends a task', at: 0, act: send('t-1') },
      { does: 'gives it back', at: 1, act: (stage) => stage.giveBack(0) },
      { does: 'fails', at: 2, act: (stage) => stage.run(1, { does: 'fails' }) },
      { does: 'gives it back again', at: 20, act: (stage) => stage.giveBack(1, { receives: 2 }) },
      {
        does: 'postpones after many receives',
        at: 30,
        act: (stage) => stage.run(2, { does: 'postpones', receives: 20 }),
      },
      { does: 'waits, because SQS delays by 15 minutes at most', at: 935, act: (stage) => stage.run(3) },
      {
        does: 'fails after many receives',
        at: 1240,
        act: (stage) => stage.run(3, { does: 'fails', receives: 21 }),
      },
      { does: 'succeeds', at: 1300, act: (stage) => stage.run(4) },
    ],
  },
  {
    name: 'plain-crashes',
    steps: [
      { does: 'sends a task', at: 0, act: send('t-1') },
      {
        does: 'fails at the second receive, of which the first is lost',
        at: 40,
        act: (stage) => stage.run(0, { does: 'fails', receives: 2 }),
      },
      {
        does: 'dies at the third receive, once its handler has begun',
        at: 50,
        act: (stage) => stage.store.receives.keep('m-0', { ended: 2, attempts: 1, crashes: 1, begun: 3 }),
      },
      {
        does: 'fails at the fourth receive, which it runs alone',
        at: 80,
        act: (stage) => stage.run(0, { does: 'fails', receives: 4 }),
      },
      {
        does: 'is postponed',
        at: 120,
        act: (stage) => stage.run(0, { does: 'postpones', receives: 5 }),
      },
    ],
  },
  {
    name: 'unknown-tasks',
    steps: [
      {
        does: 'sends a task that only a later version knows',
        at: 0,
        act: (stage) =>
          stage.client.send({ ...plain, version: 3 }, payload, { taskId: 't-1', trace, subject: 'order-7' }),
      },
      { does: 'puts it back', at: 1, act: (stage) => stage.run(0) },
      {
        does: 'puts the copy back at its second receive',
        at: 2,
        act: (stage) => stage.run(1, { receives: 2 }),
      },
      {
        does: 'puts back what was put back often',
        at: 3,
        act: (stage) =>
          stage.run(2, { change: { attributes: noted(stage.work[2], { 'baton.unknown-times': '19' }) } }),
      },
      { does: 'has no patience left', at: 600, act: (stage) => stage.run(3, { patienceSeconds: 0 }) },
      { does: 'is put back by the tool', at: 700, act: putBack.byTool },
      {
        does: 'lets another know it',
        at: 701,
        act: (stage) => {
          const { MessageBody = '' } = stage.work[4] ?? {};
          return stage.run(4, { change: { body: MessageBody.replace('"contractversion":3,', '') } });
        },
      },
    ],
  },
];

function noted(
  message: SentMessage | undefined,
  notes: Readonly<Record<string, string>>,
): NonNullable<SentMessage['MessageAttributes']> {
  const attributes = Object.entries(notes).map(
    ([name, StringValue]) => [name, { DataType: 'String', StringValue }] as const,
  );
  return { ...message?.MessageAttributes, ...Object.fromEntries(attributes) };
}
