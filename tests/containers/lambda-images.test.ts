import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { healthCheck } from '@baton/common/contracts/health';
import { encodeEnvelope, TaskClient } from 'baton-tasks/tooling';
import { Container } from './container.ts';
import { docker } from './docker.ts';
import { describeFunctions, FunctionImages, httpEvent, tagOf } from './function-images.ts';
import { imageFolders } from './image.ts';
import { LABELLED, labelsOf } from './labels.ts';

const services = imageFolders.filter((folder) => folder !== 'worker');
/** The bundles of a function's handlers, and their source maps. */
const ALLOWED = /^\/var\/task(\/(api|handlers|lambda)\.mjs(\.map)?)?$/;
const RUNTIME = ['LICENSE', 'NOTICE', 'THIRD-PARTY-LICENSES', 'index.mjs', 'rapid-client.node'];

/** A task whose start time is in an hour. */
const laterTask = encodeEnvelope({
  taskId: 'later',
  task: 'tests.later',
  source: 'tests',
  time: new Date().toISOString(),
  trace: undefined,
  notBefore: new Date(Date.now() + 3_600_000).toISOString(),
  data: {},
});

describeFunctions('function images', () => {
  const functions = new FunctionImages();

  beforeAll(() => functions.build(imageFolders));
  afterEach(() => functions.stopAll());
  afterAll(() => functions.remove());

  test.each(services)('of %s answer an HTTP event', async (folder) => {
    const api = await functions.start(folder);
    const answer = await api.invoke(httpEvent('GET', '/nothing/here'));
    expect(answer).toMatchObject({
      statusCode: 404,
      headers: { 'content-type': 'application/problem+json' },
    });
    expect(JSON.parse(String(answer['body']))).toMatchObject({ status: 404 });
  });

  test('of the worker report only the failed messages of a batch', async () => {
    const worker = functions.sourceOf('default', await functions.start('worker'));
    const { sqs, queueUrls } = functions.backends;
    const tasks = new TaskClient({ sqs, queueUrls, source: 'tests' });
    await tasks.send(healthCheck, {});
    await sqs.send(new SendMessageCommand({ QueueUrl: queueUrls.of('default'), MessageBody: laterTask }));
    await tasks.send(healthCheck, {});
    await expect(worker.invoke(3)).resolves.toEqual({ received: 3, failed: 1 });
    await worker.redeliverFailed();
    await expect(worker.invoke(1)).resolves.toEqual({ received: 1, failed: 1 });
  });

  test('find their handler by their command, not by the variable _HANDLER', async () => {
    // Without the emulator the runtime interface is unreachable, but the handler is loaded before that matters
    const environment = { AWS_LAMBDA_RUNTIME_API: '127.0.0.1:9', _HANDLER: 'none.none' };
    const container = await Container.start({ image: tagOf('worker'), environment, ports: [] });
    functions.keep(container);
    await container.ended();
    await expect(container.output()).resolves.toContain('QUEUE_URL_PREFIX is not set');
  });

  test('name a missing variable in the log if they cannot start', async () => {
    const api = await functions.start('functions/task-service', undefined, { TASKS_TABLE: '' });
    await expect(api.invoke(httpEvent('GET', '/tasks'))).rejects.toThrow('502');
    await expect(api.container.output()).resolves.toContain('TASKS_TABLE is not set');
  });

  test.each(imageFolders)(
    "of %s contain their bundles and AWS's runtime client, but no packages",
    async (folder) => {
      const found = await docker(
        'run',
        '--rm',
        '--network=none',
        '--entrypoint=find',
        tagOf(folder),
        '/var/task',
        '/runtime',
      );
      const paths = found.split('\n');
      expect(paths.filter((path) => path.startsWith('/var/task') && !ALLOWED.test(path))).toEqual([]);
      const runtime = paths
        .filter((path) => path.startsWith('/runtime/'))
        .map((path) => path.slice('/runtime/'.length));
      expect(runtime.toSorted()).toEqual(RUNTIME);
      await expect(labelsOf(tagOf(folder))).resolves.toMatchObject({
        ...LABELLED,
        'org.opencontainers.image.title': `${folder.split('/').at(-1)}, as a function`,
      });
    },
  );
});
