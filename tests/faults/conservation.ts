import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import type { Backends } from '../support/backends.ts';

/** What a soak has to account for. */
export interface SoakResult {
  readonly plan: {
    readonly tasks: number;
    readonly kills: number;
    readonly cuts: number;
    readonly seed: number;
  };
  readonly backends: Backends;
  readonly sent: ReadonlySet<string>;
  /** How often each task was done. */
  readonly runs: ReadonlyMap<string, number>;
  readonly seconds: number;
}

/** Accounts for every task: sent = done + dead + still queued, or it is lost. */
export async function conservationReport({ plan, backends, sent, runs, seconds }: SoakResult) {
  const done = [...sent].filter((id) => runs.has(id)).length;
  const again = [...sent].reduce((sum, id) => sum + Math.max(0, (runs.get(id) ?? 0) - 1), 0);
  const dead = await countOf(backends, backends.queueUrls.deadLettersOf('default'));
  const queued = await countOf(backends, backends.queueUrls.of('default'));
  const lost = sent.size - done - dead;
  const rows = [
    ['seed', plan.seed],
    ['workers killed', plan.kills],
    ['network cuts and resets', plan.cuts],
    ['tasks sent', sent.size],
    ['done', done],
    ['dead letters', dead],
    ['lost', lost],
    ['runs beyond the first', again],
    ['left in the queue', queued],
    ['seconds', Math.round(seconds)],
  ];
  return { lost, text: `${rows.map(([name, value]) => `${String(name).padEnd(24)} ${value}`).join('\n')}\n` };
}

async function countOf({ sqs }: Backends, QueueUrl: string): Promise<number> {
  const { Attributes = {} } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }),
  );
  return (
    Number(Attributes.ApproximateNumberOfMessages) + Number(Attributes.ApproximateNumberOfMessagesNotVisible)
  );
}
