import { joining, listener, nightly, second, tracked } from './contracts.ts';
import { chain, group, member, scheduleResources, type ScheduledContract, Ticker } from './library.ts';
import { BEGIN_MS, DAY, type Scene, trace } from './scene.ts';
import type { Stage } from './stage.ts';

const payload = { text: 'four' };
const startChain =
  (options: object) =>
  async ({ client }: Stage) => {
    const { taskId } = await client.start(chain([tracked, second]), payload, { trace, ...options });
    return taskId;
  };
const startGroup =
  (options: object) =>
  async ({ client }: Stage) => {
    const members = [member(tracked, payload), member(second, { length: 7 })] as const;
    const { taskId } = await client.start(group(members, joining), { trace, ...options });
    return taskId;
  };

/** Checks once whether a tick is due, and sends it. */
async function tick(stage: Stage): Promise<void> {
  const looked = Promise.withResolvers<void>();
  const { schedules, client, logger } = stage;
  const ticker = new Ticker({
    contract: nightly as ScheduledContract,
    schedules,
    send: client.send,
    logger,
    clock: {
      get nowMs() {
        return stage.nowMs;
      },
      // A wait of up to 2 s lets other workers send the tick first
      wait: async (forMs, signal) => {
        if (forMs <= 2000) return;
        looked.resolve();
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
      },
    },
  });
  ticker.start();
  await looked.promise;
  await ticker.stop();
}

/** Sends the message of EventBridge Scheduler for a time, by the template of a deploy. */
function eventBridge(stage: Stage, time: string): void {
  const resources = Object.values(scheduleResources([nightly], 'dev'));
  const schedule = resources.find(({ Type }) => Type === 'AWS::Scheduler::Schedule');
  const { Target } = (schedule?.Properties ?? {}) as { Target?: { Input: string } };
  const MessageBody = (Target?.Input ?? '').replaceAll('<aws.scheduler.scheduled-time>', time);
  stage.put({ queue: 'jobs', MessageBody });
}

/** Sends a message of the second task of a chain, as somebody does who knows its id and guesses its payload. */
async function sendSecond(stage: Stage): Promise<void> {
  const { MessageBody = '' } = stage.work[0] ?? {};
  const rows = await stage.rows();
  const secondId = rows.map(({ taskId }) => (taskId as { S: string }).S).find((id) => id !== 'c-1') ?? '';
  const body = MessageBody.replace('c-1', secondId).replace(tracked.name, second.name);
  const MessageAttributes = { 'baton.sent-at': { DataType: 'String', StringValue: '0' } };
  stage.put({
    queue: 'jobs',
    MessageBody: body.replace('{"text":"four"}', '{"length":4}'),
    MessageAttributes,
  });
}

/** Lets a worker run a message from another lane than it was sent to. */
const inLane = (place: number) => (stage: Stage) => {
  const { MessageBody = '', ...sent } = stage.work[place] ?? {};
  stage.put({ ...sent, queue: 'jobs_high', MessageBody });
  return stage.run(stage.work.length - 1);
};

/** Scenes of flows and schedules. */
export const flowScenes: readonly Scene[] = [
  {
    name: 'chain',
    steps: [
      {
        does: 'starts a chain',
        at: 0,
        act: startChain({ taskId: 'c-1', subject: 'order-7', onEnd: listener, lane: 'high' }),
      },
      { does: 'runs the first task', at: 1, act: (stage) => stage.run(0) },
      { does: 'runs the second task', at: 2, act: (stage) => stage.run(1) },
      {
        does: 'starts another, for later, under a key',
        at: 3,
        act: startChain({ deduplicationKey: 'k', delaySeconds: 2000, depth: 4, parentId: 't-0' }),
      },
      { does: 'rejects its first task', at: 2100, act: (stage) => stage.run(4, { does: 'rejects' }) },
    ],
  },
  {
    name: 'group',
    steps: [
      { does: 'starts a group', at: 0, act: startGroup({ taskId: 'g-1', subject: 'order-7' }) },
      { does: 'runs a member', at: 1, act: (stage) => stage.run(0) },
      { does: 'runs the other', at: 2, act: (stage) => stage.run(1) },
      { does: 'runs what follows', at: 3, act: (stage) => stage.run(3) },
      {
        does: 'starts another, for later',
        at: 4,
        act: startGroup({ taskId: 'g-2', notBefore: new Date(BEGIN_MS + 3_600_000), onEnd: listener }),
      },
      { does: 'rejects a member', at: 3700, act: (stage) => stage.run(4, { does: 'rejects' }) },
      { does: 'runs the other', at: 3701, act: (stage) => stage.run(5) },
    ],
  },
  {
    name: 'chain-out-of-turn',
    steps: [
      { does: 'starts a chain', at: 0, act: startChain({ taskId: 'c-1' }) },
      { does: 'gets a message of the second task', at: 1, act: sendSecond },
      { does: 'does not run the second task', at: 2, act: (stage) => stage.run(1) },
      { does: 'runs the first task', at: 3, act: (stage) => stage.run(0) },
      { does: 'runs the second task', at: 4, act: (stage) => stage.run(2) },
    ],
  },
  {
    name: 'flow-lost',
    steps: [
      { does: 'starts a chain', at: 0, act: startChain({ taskId: 'c-1' }) },
      {
        does: 'loses the row of the first task',
        at: 1,
        act: async (stage) =>
          stage.load((await stage.rows()).filter(({ taskId }) => (taskId as { S: string }).S !== 'c-1')),
      },
      { does: 'runs the first task', at: 2, act: (stage) => stage.run(0) },
    ],
  },
  {
    name: 'ticks',
    steps: [
      { does: 'sees the schedule', at: 0, act: tick },
      { does: 'sends a tick', at: DAY, act: tick },
      { does: 'runs it', at: DAY + 1, act: (stage) => stage.run(0) },
      {
        does: 'gets the same tick of EventBridge',
        at: DAY + 2,
        act: (stage) => {
          eventBridge(stage, '2026-11-30T03:00:00Z');
          return stage.run(1);
        },
      },
      {
        does: 'gets the next one of EventBridge',
        at: 2 * DAY,
        act: (stage) => {
          eventBridge(stage, '2026-12-01T03:00:00Z');
          return stage.run(2, { does: 'fails' });
        },
      },
    ],
  },
  {
    name: 'signed',
    steps: [
      {
        does: 'starts a chain, and signs it',
        at: 0,
        act: (stage) => {
          stage.signs();
          return startChain({ taskId: 'c-1', subject: 'order-7', depth: 2, onEnd: listener })(stage);
        },
      },
      { does: 'runs the first task', at: 1, act: (stage) => stage.run(0) },
      { does: 'tells its listener', at: 2, act: (stage) => stage.run(2) },
      { does: 'runs the second task, in another lane', at: 3, act: inLane(1) },
      { does: 'starts a group', at: 4, act: startGroup({ taskId: 'g-1' }) },
      {
        does: 'gets a message with another payload',
        at: 5,
        act: (stage) => {
          const { MessageBody = '', ...sent } = stage.work[0] ?? {};
          stage.put({ queue: 'jobs', ...sent, MessageBody: MessageBody.replace('"four"', '"five"') });
          return stage.run(stage.work.length - 1);
        },
      },
    ],
  },
];
