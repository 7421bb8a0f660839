import { join } from 'node:path';
import { defineTask, type TaskContract } from 'baton-tasks';
import * as z from 'zod';
import { describeStack } from '../../stack/described-stack.ts';
import { type Part, readPart, readParts, readSharedPart } from '../../stack/part.ts';
import { readParameters } from '../parameters.ts';
import { compileStack } from '../stack.ts';

const STAGE = 'dev';
const partsOf = (stage: string): Part[] => [
  ...readParts(stage, join(import.meta.dirname, 'sample-stack')).values(),
  readPart('worker', stage),
  readSharedPart(stage),
];

const plain = {
  payload: z.object({}),
  result: z.void(),
  retry: { maxAttempts: 1, baseSeconds: 1 },
  timeoutSeconds: 10,
};

/** Contracts of the sample stack. The worker runs the first two, letters-service the third. */
export const packParcel: TaskContract = defineTask({
  ...plain,
  name: 'parcels.pack',
  queue: 'parcels',
  lanes: { high: 8, normal: 3, low: 1 },
  defaultLane: 'normal',
});
/** A contract on the queue `default`, which every worker has. */
export const sayHello: TaskContract = defineTask({ ...plain, name: 'tests.say-hello', queue: 'default' });
/** A contract without lanes. */
export const sendLetter: TaskContract = defineTask({ ...plain, name: 'letters.send', queue: 'letters' });

/** The stack of the sample services and the worker for a deploy with these parameters. */
export function stackOf(
  given: Record<string, string> = {},
  more: readonly Part[] = [],
  contracts: readonly TaskContract[] = [packParcel, sayHello, sendLetter],
  stage: string = STAGE,
) {
  const parameters = readParameters(given);
  const implemented = [packParcel, sayHello];
  return compileStack({
    described: describeStack({ parts: [...partsOf(stage), ...more], contracts, implemented, stage }),
    parameters,
    stage,
    environment: { LOG_LEVEL: 'info', TASKS_TABLE: 'baton-dev-tasks' },
  });
}

/** The parameters of a worker on Fargate. */
export const fargate = {
  worker: 'fargate',
  'worker-image': '123456789012.dkr.ecr.eu-central-1.amazonaws.com/baton/worker:1.0.0',
  'worker-subnets': 'subnet-1, subnet-2',
  'worker-security-groups': 'sg-1',
};
