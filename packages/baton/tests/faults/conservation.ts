import { type Message, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { decodeEnvelope } from 'baton-tasks/tooling';
import type { Backends } from '../support/backends.ts';
import { countMessages } from 'baton-dev/testing/message-counts';
import type { SoakPlan } from './soak-plan.ts';
import type { SoakTasks } from './soak-tasks.ts';
import type { Swarm } from './swarm.ts';

/** Longer than it takes to read all dead letters. */
const READING_SECONDS = 600;

/** The state at the end of a soak. */
export interface SoakResult {
  readonly plan: SoakPlan;
  readonly backends: Backends;
  readonly tasks: SoakTasks;
  readonly swarm: Swarm;
  readonly seconds: number;
}

interface DeadLetter {
  readonly taskId: string;
  readonly reason: string;
}

/**
 * Accounts for every task by its id, in the words of Jepsen's total queue. An acknowledged task is lost if it did not
 * reach its planned end. An end is unexpected if no attempted task should have it. A task is recovered if it reached
 * its end although the broker never acknowledged it.
 *
 * Baton does not protect an innocent task from one case, which is counted separately: its workers die twice, beside
 * poison for example, and then the soak kills or pauses the worker that runs it alone.
 */
export async function conservationReport({ plan, backends, tasks, swarm, seconds }: SoakResult) {
  const { attempted, acknowledged } = tasks;
  const { sink } = swarm;
  const letters = await deadLetters(backends);
  const ends = new Set([
    ...[...sink.done.keys()].map((taskId) => `done ${taskId}`),
    ...letters.map(({ taskId, reason }) => `${reason} ${taskId}`),
  ]);
  const { visible, hidden } = await countMessages(backends, backends.queueUrls.of('default'));
  const innocents = letters.filter(
    ({ taskId, reason }) => reason !== 'rejected' && attempted.get(taskId) !== 'crashed',
  );
  const { lastBegun } = sink;
  const killedAlone = new Set(
    innocents
      .filter(({ taskId, reason }) => reason === 'crashed' && swarm.harmed.has(lastBegun.get(taskId) ?? ''))
      .map(({ taskId }) => taskId),
  );
  const expected = new Set([
    ...[...attempted].map(([taskId, end]) => `${end} ${taskId}`),
    ...[...killedAlone].map((taskId) => `crashed ${taskId}`),
  ]);
  const reachedItsEnd = (taskId: string): boolean => ends.has(`${attempted.get(taskId)} ${taskId}`);
  const lost = [...acknowledged].filter((taskId) => !reachedItsEnd(taskId) && !killedAlone.has(taskId));
  const unexpected = [...ends].filter((end) => !expected.has(end));
  const unacknowledged = [...attempted.keys()].filter((taskId) => !acknowledged.has(taskId));
  const runs = [...sink.done.values(), ...sink.rejected.values()].reduce((sum, count) => sum + count, 0);
  const count = (reason: string): number =>
    new Set(letters.filter((letter) => letter.reason === reason).map(({ taskId }) => taskId)).size;
  const wrong = {
    lost: lost.length,
    unexpected: unexpected.length,
    'innocent tasks dead': innocents.filter(({ taskId }) => !killedAlone.has(taskId)).length,
    'left in the queue': visible + hidden,
  };
  const figures = {
    seed: plan.seed,
    'workers killed': plan.kills,
    'workers paused': plan.pauses,
    'workers with a wrong clock': plan.clocks,
    'workers on a full disk': plan.disks,
    'network troubles': plan.cuts,
    'broker restarts': plan.restarts,
    'poison tasks': plan.poisons,
    'workers that crashed': swarm.deaths,
    attempted: attempted.size,
    acknowledged: acknowledged.size,
    done: sink.done.size,
    rejected: count('rejected'),
    'dead after crashes': count('crashed'),
    'killed while alone': killedAlone.size,
    ...wrong,
    duplicated: runs - sink.done.size - sink.rejected.size,
    recovered: unacknowledged.filter(reachedItsEnd).length,
    'duplicate dead letters': letters.length - new Set(letters.map(({ taskId }) => taskId)).size,
    seconds: Math.round(seconds),
  };
  return {
    conserved: Object.values(wrong).every((times) => times === 0),
    wrong: [...lost.map((taskId) => `lost ${taskId}`), ...unexpected],
    text: `${Object.entries(figures)
      .map(([name, value]) => `${name.padEnd(27)} ${value}`)
      .join('\n')}\n`,
  };
}

async function deadLetters({ sqs, queueUrls }: Backends): Promise<DeadLetter[]> {
  const letters: DeadLetter[] = [];
  for (;;) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: queueUrls.deadLettersOf('default'),
        MaxNumberOfMessages: 10,
        VisibilityTimeout: READING_SECONDS,
        MessageAttributeNames: ['baton.reason'],
      }),
    );
    if (Messages.length === 0) return letters;
    letters.push(...Messages.map(letterOf));
  }
}

function letterOf({ Body = '', MessageAttributes = {} }: Message): DeadLetter {
  const reason = MessageAttributes['baton.reason']?.StringValue ?? 'no reason';
  return { taskId: decodeEnvelope(Body).taskId, reason };
}
