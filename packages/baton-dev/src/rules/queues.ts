import { DEFAULT_TIMEOUT_SECONDS } from '../stack/part.ts';
import { idOfArn } from '../stack/resources.ts';
import { type Queue, queuesOf, type SourceQueue } from '../stack/queues.ts';
import type { Breach, Rule } from './rule.ts';
import { type OwnFunction, STAGE_PREFIX, type Tree } from './tree.ts';

/** Tasks that fail are dead-lettered by their retry policy, with a reason. SQS, which gives none, comes long after that. */
const LEAST_RECEIVES = 30;
/** AWS Lambda Developer Guide, "Creating and configuring an Amazon SQS event source mapping". */
const TIMEOUTS_HIDDEN = 6;
/** How long SQS hides a message, and how long it keeps one, if the queue does not say so. */
const DEFAULT_HIDDEN_SECONDS = 30;
const DEFAULT_KEPT_SECONDS = 345_600;
const MAX_KEPT_SECONDS = 1_209_600;

/** A function's event source: one queue that it consumes. */
export interface Consumed {
  readonly consumer: OwnFunction;
  readonly sqs: Readonly<Record<string, unknown>>;
  readonly queue: Queue;
}

/** The queues that functions consume, lanes included. */
export function consumedQueues({ functions, stack }: Tree): Consumed[] {
  const queues = queuesOf(stack.resources);
  return functions.flatMap((consumer) =>
    (consumer.events ?? []).flatMap(({ sqs }) => {
      const queue = queues.find(({ id }) => id === idOfArn(sqs?.arn));
      return sqs && queue ? [{ consumer, sqs, queue }] : [];
    }),
  );
}

/** Nothing is lost without a dead letter. */
export const queuesHaveDeadLetters: Rule = {
  name: 'every queue has a dead-letter queue of its name, which SQS itself uses as the last resort',
  breaches: (tree) => {
    const queues = queuesOf(tree.stack.resources);
    const targets = new Set(queues.flatMap(({ deadLetters }) => deadLetters?.id ?? []));
    return queues
      .filter(({ id }) => !targets.has(id) && tree.ownerOf(id) !== undefined)
      .flatMap((queue) => deadLettersOf(queue, tree));
  },
};

function deadLettersOf(queue: Queue, tree: Tree): Breach[] {
  const { id, name, deadLetters } = queue;
  const attempts = tree.contracts
    .filter((contract) => STAGE_PREFIX + contract.queue === name)
    .map(({ retry }) => retry.maxAttempts);
  const least = Math.max(LEAST_RECEIVES, ...attempts.map((most) => most + 1));
  const place = tree.placeOfResource(id, 'Properties', 'RedrivePolicy');
  const policy = (target: string) =>
    `RedrivePolicy: { deadLetterTargetArn: !GetAtt ${target}.Arn, maxReceiveCount: ${least} }`;
  if (!deadLetters && name.endsWith('-dlq')) {
    const found = `no queue has the dead-letter queue ${id}`;
    return [{ at: place, found, expected: `Write ${policy(id)} in the queue that it is for` }];
  }
  if (!deadLetters) {
    const target = `${id.replace(/Queue$/, '')}DeadLetters`;
    return [
      {
        at: place,
        found: `the queue ${id} has no dead-letter queue`,
        expected: `Write ${policy(target)}, and describe ${target} with QueueName: ${withStage(name)}-dlq`,
      },
    ];
  }
  const misnamed = deadLetters.name !== `${name}-dlq` && {
    at: tree.placeOfResource(deadLetters.id, 'Properties', 'QueueName'),
    found: `the dead-letter queue ${deadLetters.id} of ${id} is called ${withStage(deadLetters.name)}`,
    expected: `Write QueueName: ${withStage(name)}-dlq`,
  };
  const early = deadLetters.maxReceiveCount < least && {
    at: place,
    found: `SQS gives up a message of ${id} after ${deadLetters.maxReceiveCount} receives, before its task's retry policy does, and gives no reason`,
    expected: `Write ${policy(deadLetters.id)}`,
  };
  return [misnamed, early].filter((breach) => breach !== false);
}

/** There is time to look at a dead letter. */
export const deadLettersAreKept: Rule = {
  name: 'a dead-letter queue keeps its messages longer than the queue that they come from',
  breaches: (tree) => {
    const queues = queuesOf(tree.stack.resources);
    const sources = queues.filter((queue): queue is SourceQueue => queue.deadLetters !== undefined);
    return sources.flatMap(({ id, properties, deadLetters }) => {
      const kept = keptSeconds(properties);
      const own = keptSeconds(queues.find((each) => each.id === deadLetters.id)?.properties ?? {});
      if (own > kept) return [];
      return [
        {
          at: tree.placeOfResource(deadLetters.id, 'Properties', 'MessageRetentionPeriod'),
          found: `the dead-letter queue ${deadLetters.id} keeps messages for ${own} s, and ${id} for ${kept} s`,
          expected: `Write MessageRetentionPeriod: ${MAX_KEPT_SECONDS} (14 days), and a shorter one in ${id}: 604800 (7 days)`,
        },
      ];
    });
  },
};

/** No message is received again while it may still be in work. */
export const leasesAreLongEnough: Rule = {
  name: 'a queue hides a message six times as long as its consumer may take, as AWS advises',
  breaches: (tree) =>
    consumedQueues(tree)
      .filter(({ queue }) => tree.ownerOf(queue.id) !== undefined)
      .flatMap(({ consumer, sqs, queue: { id, properties } }) => {
        const { name, timeout = DEFAULT_TIMEOUT_SECONDS } = consumer;
        const window = Number(sqs['maximumBatchingWindow'] ?? 0);
        const least = TIMEOUTS_HIDDEN * timeout + window;
        const hidden = Number(properties['VisibilityTimeout'] ?? DEFAULT_HIDDEN_SECONDS);
        if (hidden >= least) return [];
        const sum = `${TIMEOUTS_HIDDEN} x ${timeout} s, the timeout of ${name}${window > 0 ? `, and ${window} s for its maximumBatchingWindow` : ''}`;
        return [
          {
            at: tree.placeOfResource(id, 'Properties', 'VisibilityTimeout'),
            found: `the queue ${id} hides a message for ${hidden} s, and its consumer ${name} may take ${timeout} s`,
            expected: `Write VisibilityTimeout: ${least} (${sum})`,
          },
        ];
      }),
};

/** Messages are encrypted at rest. */
export const queuesAreEncrypted: Rule = {
  name: 'every queue is encrypted',
  breaches: (tree) =>
    queuesOf(tree.stack.resources)
      .filter(
        ({ id, properties }) => tree.ownerOf(id) && String(properties['SqsManagedSseEnabled']) !== 'true',
      )
      .map(({ id }) => ({
        at: tree.placeOfResource(id, 'Properties', 'SqsManagedSseEnabled'),
        found: `the queue ${id} is not encrypted`,
        expected: 'Write SqsManagedSseEnabled: true',
      })),
};

/** Properties that only AWS reads. */
const OF_AWS: ReadonlySet<string> = new Set(['RedriveAllowPolicy', 'Tags']);

/** A queue is the same on a laptop, in containers and on AWS. */
export const queuesArePlain: Rule = {
  name: 'the properties of queues are plain values, which a laptop and containers understand too',
  breaches: (tree) =>
    queuesOf(tree.stack.resources)
      .filter(({ id }) => tree.ownerOf(id) !== undefined)
      .flatMap(({ id, properties }) =>
        Object.entries(properties)
          .filter(([name, value]) => typeof value === 'object' && !OF_AWS.has(name))
          .map(([name, value]) => ({
            at: tree.placeOfResource(id, 'Properties', name),
            found: `${name} of the queue ${id} is ${JSON.stringify(value)}`,
            expected: 'Write a text, a number, true or false',
          })),
      ),
};

function keptSeconds(properties: Queue['properties']): number {
  return Number(properties['MessageRetentionPeriod'] ?? DEFAULT_KEPT_SECONDS);
}

/** A name as a functions.yml has it, for every stage: `baton-${sls:stage}-payments`. */
export function withStage(name: string): string {
  return name.replace(STAGE_PREFIX, 'baton-${sls:stage}-');
}
