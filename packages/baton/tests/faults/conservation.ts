import { type Message, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { decodeEnvelope } from 'baton-tasks/tooling';
import type { Backends } from '../support/backends.ts';
import { countMessages } from 'baton-dev/testing/message-counts';
import type { SoakPlan } from './soak-plan.ts';
import type { SoakTasks } from './soak-tasks.ts';
import type { Swarm } from './swarm.ts';

/** Longer than reading all dead letters takes. */
const READING_SECONDS = 600;

/** What a soak has to account for. */
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
 * Accounts for every task by its id, in the words of Jepsen's total queue: a task that was acknowledged is lost unless
 * it came to the end that it was meant to have; an end is unexpected that no attempted task was to have; a task is
 * recovered that came to its end though the broker never acknowledged it.
 *
 * One end is not promised to an innocent task, and counted by itself: its worker dies twice, beside poison, say, and then
 * the soak kills or pauses the one that runs it alone.
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
  const cameToItsEnd = (taskId: string): boolean => ends.has(`${attempted.get(taskId)} ${taskId}`);
  const lost = [...acknowledged].filter((taskId) => !cameToItsEnd(taskId) && !killedAlone.has(taskId));
  const unexpected = [...ends].filter((end) => !expected.has(end));
  const unacknowledged = [...attempted.keys()].filter((taskId) => !acknowledged.has(taskId));
  const runs = [...sink.done.values(), ...sink.rejected.values()].reduce((sum, count) => sum + count, 0);
  const count = (reason: string): number =>
    new Set(letters.filter((letter) => letter.reason === reason).map(({ taskId }) => taskId)).size;
  const wrong = {
    lost: lost.length,
    unexpected: unexpected.length,
    'innocents dead': innocents.filter(({ taskId }) => !killedAlone.has(taskId)).length,
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
    'workers dead of themselves': swarm.deaths,
    attempted: attempted.size,
    acknowledged: acknowledged.size,
    done: sink.done.size,
    'rejected themselves': count('rejected'),
    'set aside as crashed': count('crashed'),
    'killed while alone': killedAlone.size,
    ...wrong,
    duplicated: runs - sink.done.size - sink.rejected.size,
    recovered: unacknowledged.filter(cameToItsEnd).length,
    'dead letters twice': letters.length - new Set(letters.map(({ taskId }) => taskId)).size,
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
