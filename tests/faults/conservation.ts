import { type Message, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { decodeEnvelope } from '@baton/common/queue/envelope';
import type { Backends } from '../support/backends.ts';
import { countMessages } from '../support/message-counts.ts';
import type { NapSink } from '../support/nap-sink.ts';
import type { SoakPlan } from './soak-plan.ts';
import type { SoakTasks } from './soak-tasks.ts';

/** Longer than reading all dead letters takes. */
const READING_SECONDS = 600;

/** What a soak has to account for. */
export interface SoakResult {
  readonly plan: SoakPlan;
  readonly backends: Backends;
  readonly tasks: SoakTasks;
  readonly sink: NapSink;
  readonly seconds: number;
}

/**
 * Accounts for every task by its id: one that was to be done is in the sink, one that was to reject itself is in the
 * dead letter queue, and neither is in the other's place; or it is lost, or misplaced.
 */
export async function conservationReport({ plan, backends, tasks, sink, seconds }: SoakResult) {
  const { plain, rejecting, repeated } = tasks;
  const letters = await deadLetters(backends);
  const dead = new Set(letters);
  const { visible, hidden } = await countMessages(backends, backends.queueUrls.of('default'));
  const lost = [
    ...[...plain].filter((id) => !sink.done.has(id)),
    ...[...rejecting].filter((id) => !dead.has(id)),
  ];
  const misplaced = [
    ...[...sink.done.keys()].filter((id) => !plain.has(id)),
    ...[...dead].filter((id) => !rejecting.has(id)),
  ];
  const runs = [...sink.done.values(), ...sink.rejected.values()].reduce((sum, count) => sum + count, 0);
  const rows = [
    ['seed', plan.seed],
    ['workers killed', plan.kills],
    ['network troubles', plan.cuts],
    ['broker restarts', plan.restarts],
    ['tasks sent', plain.size + rejecting.size],
    ['done', sink.done.size],
    ['dead letters', dead.size],
    ['lost', lost.length],
    ['misplaced', misplaced.length],
    ['left in the queue', visible + hidden],
    ['sends repeated', repeated],
    ['runs beyond the first', runs - sink.done.size - sink.rejected.size],
    ['copies beyond the first', letters.length - dead.size],
    ['seconds', Math.round(seconds)],
  ];
  return {
    conserved: lost.length + misplaced.length + visible + hidden === 0,
    lost,
    text: `${rows.map(([name, value]) => `${String(name).padEnd(24)} ${value}`).join('\n')}\n`,
  };
}

/** The ids of the tasks in the dead letter queue, or what else it holds as it is. */
async function deadLetters({ sqs, queueUrls }: Backends): Promise<string[]> {
  const ids: string[] = [];
  for (;;) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: queueUrls.deadLettersOf('default'),
        MaxNumberOfMessages: 10,
        VisibilityTimeout: READING_SECONDS,
        MessageAttributeNames: ['baton.reason'],
      }),
    );
    if (Messages.length === 0) return ids;
    ids.push(...Messages.map(idOf));
  }
}

/** A letter that was set aside for another reason has no place among those that rejected themselves. */
function idOf({ Body = '', MessageAttributes = {} }: Message): string {
  const reason = MessageAttributes['baton.reason']?.StringValue ?? 'no reason';
  const { taskId } = decodeEnvelope(Body);
  return reason === 'rejected' ? taskId : `${taskId} (${reason})`;
}
