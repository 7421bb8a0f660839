import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { defineTask } from 'baton-tasks';
import { TaskClient } from 'baton-tasks/tooling';
import * as z from 'zod';
import { eventually } from 'baton-dev/testing/eventually';
import { BackendNetwork } from './backend-network.ts';
import { Container } from './container.ts';
import { buildImage, Tree } from './image.ts';

const IMAGE = 'baton-img-threads';

/** The contract of the worker's only task. */
const where = defineTask({
  name: 'tests.where',
  queue: 'default',
  payload: z.object({}),
  result: z.object({}),
  retry: { maxAttempts: 1, baseSeconds: 1 },
  timeoutSeconds: 30,
  isolation: 'thread',
});

/** Replaces common/tasks/all.ts, which has no task that runs in a thread. */
const TASKS = `
import { isMainThread } from 'node:worker_threads';
import * as z from 'zod';
import { defineTask, implement } from 'baton-tasks';

const where = defineTask({
  name: 'tests.where',
  queue: 'default',
  payload: z.object({}),
  result: z.object({}),
  retry: { maxAttempts: 1, baseSeconds: 1 },
  timeoutSeconds: 30,
  isolation: 'thread',
});

export const allTasks = [
  implement(where, (_payload, { logger }) => {
    logger.info({ isMainThread }, 'here');
    return {};
  }),
];
`;

let network: BackendNetwork;
let tree: Tree;
let worker: Container;

beforeAll(async () => {
  network = await BackendNetwork.start(['worker']);
  tree = await Tree.copy(['common', 'worker']);
  await writeFile(join(tree.path, 'common/tasks/all.ts'), TASKS);
  await buildImage({ folder: 'worker', tag: IMAGE, context: tree.path });
  const environment = { ...network.environmentOf('worker'), WORKER_WAIT_SECONDS: '1' };
  worker = await Container.start({ image: IMAGE, environment, options: network.options });
});
afterAll(async () => {
  await worker.remove();
  await tree.remove();
  await network.stop();
});

test("a task with isolation 'thread' runs in a thread in the worker's image", async () => {
  const { sqs, queueUrls } = network.backends;
  await new TaskClient({ sqs, queueUrls, source: 'tests' }).send(where, {});
  const saying = async (message: string) =>
    (await worker.lines()).find((line) => line['message'] === message);
  await eventually('the task done', () => saying('tests.where done'), 30_000);
  await expect(saying('here')).resolves.toMatchObject({ isMainThread: false, task: 'tests.where' });
});
