// The queues of the stack on AWS.
import { queuesOf, sourceQueues } from '../stack/queues.ts';
import { QUEUE, queueArn, ref, type Resource, type Resources, type Value } from '../stack/resources.ts';

/**
 * Restricts dead-letter queues to messages of their own source queues. By default any queue of the account may use them
 * (Amazon SQS Developer Guide, "Configuring a dead-letter queue").
 */
export function deadLetterQueues(resources: Resources): Resources {
  const sources = sourceQueues(resources);
  const ids = new Set(sources.map(({ deadLetters }) => deadLetters.id));
  const entries = [...ids].map((id): [string, Resource] => {
    const queue = resources[id] ?? { Type: QUEUE, Properties: {} };
    const own = sources.filter(({ deadLetters }) => deadLetters.id === id);
    const RedriveAllowPolicy = {
      redrivePermission: 'byQueue',
      sourceQueueArns: own.map(({ name }) => queueArn(name)),
    };
    return [id, { ...queue, Properties: { ...queue.Properties, RedriveAllowPolicy } }];
  });
  return Object.fromEntries(entries);
}

/** An output of the stack. */
export interface Output {
  readonly Description: string;
  readonly Value: Value;
}

/** The URLs of all queues as outputs of the stack, such as PaymentsQueueUrl. */
export function queueOutputs(resources: Resources): Readonly<Record<string, Output>> {
  const outputs = queuesOf(resources).map(({ id, name }) => [
    `${id}Url`,
    { Description: `The URL of the queue ${name}`, Value: ref(id) },
  ]);
  return Object.fromEntries(outputs) as Record<string, Output>;
}
