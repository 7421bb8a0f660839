import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from 'baton-dev/testing/eventually';
import { linesOf } from '../../support/readme.ts';
import { answerTo, curl } from '../../demo/readme-curl.ts';
import { ComposeProject, crash, type Inspected, serviceOf } from '../compose-project.ts';
import { docker } from '../docker.ts';
import { note } from '../figures.ts';
import { memoryOf } from '../memory.ts';
import { type OrderView, Orders, post, read } from './orders.ts';

const OURS = ['gateway', 'notification-service', 'order-service', 'resources', 'task-service', 'worker'];
/** Shorter than the default, so the messages of a killed worker come back sooner. */
const LEASE_SECONDS = 10;
const PATIENCE_MS = 60_000;
/** The largest share of the system's memory that one service may take. */
const MAX_SHARE = 0.3;
const LINES = linesOf('docs/containers.md', 'sh').filter((line) => line.startsWith('docker compose'));
const [buildLine = '', upLine = ''] = LINES;

let project: ComposeProject;
let gateway: string;

beforeAll(async () => {
  project = await ComposeProject.create({ WORKER_LEASE_SECONDS: String(LEASE_SECONDS) });
  gateway = project.url('GATEWAY_PORT');
  await project.build(buildLine);
});
afterAll(async () => {
  await project.remove();
});

const states = (containers: readonly Inspected[]) =>
  containers.map((each) => `${serviceOf(each)} ${each.State.Health?.Status ?? each.State.Status}`).toSorted();

const isReady = async (): Promise<boolean> =>
  (await project.containers()).every(
    ({ State }) => State.Status === 'running' && State.Health?.Status === 'healthy',
  );

async function networkOf(name: string): Promise<string> {
  const { NetworkSettings } = await project.container('gateway');
  return Object.keys(NetworkSettings.Networks).find((network) => network.endsWith(`_${name}`)) ?? '';
}

test('the compose file needs no variable to be set', async () => {
  const bare =
    'env -i PATH="$PATH" docker compose --env-file /dev/null -f docker-compose.localstack.yml config';
  const config = await project.shell(bare);
  expect(config).toContain('published: "3000"');
  expect(config).toContain('image: localstack/localstack:4.14.0');
  await project.shell(bare.replace('/dev/null', '.env.example'));
});

test('order-service alone starts only what it depends on, and accepts orders', async () => {
  await project.compose('up --detach --wait order-service');
  expect(states(await project.containers())).toEqual([
    'localstack healthy',
    'order-service healthy',
    'resources healthy',
  ]);
  const api = project.url('ORDER_SERVICE_PORT');
  const answer = await post(api);
  expect(answer.status).toBe(202);
  const { orderId } = (await answer.json()) as OrderView;
  await expect(read(`${api}/orders/${orderId}`)).resolves.toMatchObject({ status: 'accepted' });
});

describe('the whole system', () => {
  test('starts with the command of docs/containers.md, and then completes the orders that one service accepted before', async () => {
    await project.shell(upLine);
    expect(states(await project.containers())).toEqual(
      ['localstack', ...OURS].map((service) => `${service} healthy`).toSorted(),
    );
    const { orders = [] } = (await read<{ orders: OrderView[] }>(`${gateway}/orders`)) ?? {};
    expect(orders).toHaveLength(1);
    await eventually(
      'the order completed',
      async () => (await read(`${gateway}/orders/${orders[0]?.orderId}`))?.['status'] === 'completed',
    );
  });

  test("answers the README's curl at its gateway, completes the order and notifies its customer", async () => {
    const { status, body } = await answerTo(curl.replace('http://127.0.0.1:3000', gateway));
    expect(status).toBe('202');
    const orders = new Orders(gateway);
    const { orderId, taskId } = JSON.parse(body) as Record<string, string>;
    orders.ids.push(orderId ?? '');
    await orders.allDone();
    await expect(read(`${gateway}/tasks/${taskId}`)).resolves.toMatchObject({ state: 'succeeded' });
  });

  test.each([
    ['ORDER_SERVICE_PORT', '/orders'],
    ['NOTIFICATION_SERVICE_PORT', '/notifications'],
    ['TASK_SERVICE_PORT', '/tasks'],
  ])('has a service at %s', async (variable, path) => {
    const list = await read(`${project.url(variable)}${path}`);
    expect(list).toHaveProperty([path.slice(1)]);
    expect((await fetch(`${project.url(variable)}/health/ready`)).status).toBe(404);
  });

  test('takes more than three times the memory of any one service', async () => {
    const memory = await memoryOf(...(await project.containers()).map(({ Name }) => Name.slice(1)));
    // LocalStack is not part of what is deployed
    const ours = [...memory].filter(([name]) => !name.includes('-localstack-'));
    const whole = ours.reduce((sum, [, bytes]) => sum + bytes, 0);
    for (const [name, bytes] of ours.filter(([each]) => each.includes('-service-'))) {
      const share = bytes / whole;
      const [, service = ''] = /baton-test-\w+-(.+)-1$/.exec(name) ?? [];
      note({
        criterion: 'SC-002',
        what: "one service's share of the memory of all but LocalStack",
        target: `below ${MAX_SHARE * 100}%`,
        seen: `${service}: ${(bytes / 1e6).toFixed(0)} of ${(whole / 1e6).toFixed(0)} MB, ${(share * 100).toFixed(0)}%`,
        holds: share < MAX_SHARE,
      });
      expect(share).toBeLessThan(MAX_SHARE);
    }
    expect(memory.size).toBe(OURS.length + 1);
  });

  test.each(['/payments', '/health/state'])('answers 404 for %s', async (path) => {
    const answer = await fetch(gateway + path);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([404, 'application/problem+json']);
  });

  test('runs as users without rights that cannot write anything, and is reached only from this machine', async () => {
    for (const { Config, HostConfig, NetworkSettings, Name } of await project.containers()) {
      const ours = !Name.includes('-localstack-');
      expect([Name, HostConfig]).toMatchObject([
        Name,
        {
          Privileged: false,
          CapDrop: ['ALL'],
          CapAdd: null,
          SecurityOpt: ['no-new-privileges:true'],
          ReadonlyRootfs: ours,
          RestartPolicy: { Name: 'unless-stopped' },
        },
      ]);
      expect(Number(HostConfig['Memory'])).toBeGreaterThan(0);
      expect(Number(HostConfig['NanoCpus'])).toBeGreaterThan(0);
      expect([Name, Config.User]).toEqual([Name, ours ? 'node' : '']);
      const published = Object.values(NetworkSettings.Ports).flatMap((ports) => ports ?? []);
      expect(published.filter(({ HostIp }) => HostIp !== '127.0.0.1')).toEqual([]);
    }
    const uids = await Promise.all(OURS.map((service) => project.compose(`exec -T ${service} id -u`)));
    expect(new Set(uids.map((uid) => uid.trim()))).toEqual(new Set(['1000']));
    const { NetworkSettings } = await project.container('localstack');
    expect(Object.keys(NetworkSettings.Networks)).toEqual([await networkOf('internal')]);
    await expect(
      docker('network', 'inspect', '--format={{.Internal}}', await networkOf('internal')),
    ).resolves.toBe('true');
  });
});

describe('the port of functions', () => {
  const invoked = async (service: string, network: string, headers: Record<string, string> = {}) => {
    const { NetworkSettings } = await project.container(service);
    const { IPAddress } = NetworkSettings.Networks[await networkOf(network)] as { IPAddress: string };
    const url = `http://${IPAddress}:9000/2015-03-31/functions/orderOutcomes/invocations`;
    return fetch(url, { method: 'POST', body: '{}', headers }).then(
      ({ status }) => status,
      (error: Error) => (error.cause as NodeJS.ErrnoException).code,
    );
  };

  test.each(['order-service', 'gateway'])(
    'of %s is in the network internal alone, and wants the secret',
    async (service) => {
      await expect(invoked(service, 'edge')).resolves.toBe('ECONNREFUSED');
      await expect(invoked(service, 'internal')).resolves.toBe(403);
      await expect(invoked(service, 'internal', { 'x-functions-token': 'x'.repeat(43) })).resolves.toBe(403);
      const token = await project.compose(`exec -T ${service} cat /run/baton/functions-token`);
      await expect(invoked('order-service', 'internal', { 'x-functions-token': token })).resolves.toBe(200);
    },
  );
});

describe('workers', () => {
  test('are scaled to ten and back to one with nothing else changed, and no order is lost or notified twice', async () => {
    const others = async () =>
      (await project.containers())
        .filter((each) => serviceOf(each) !== 'worker')
        .map(({ Id, State }) => [Id, State.Pid]);
    const before = await others();
    const orders = new Orders(gateway);
    const posting = orders.post(60);
    await project.compose('up --detach --wait --no-recreate --scale worker=10');
    const workers = await project.containers('worker');
    expect(workers.filter(({ State }) => State.Health?.Status === 'healthy')).toHaveLength(10);
    await posting;
    await orders.post(30);
    await project.compose('up --detach --no-recreate --scale worker=1');
    expect(await project.containers('worker')).toHaveLength(1);
    await orders.allDone();
    const same = JSON.stringify(await others()) === JSON.stringify(before);
    note({
      criterion: 'SC-003',
      what: 'workers from 1 to 10 and back under load',
      target: 'nothing else changed, nothing lost',
      seen: same ? 'the same containers, all orders done' : 'other containers were changed',
      holds: same,
    });
    expect(same).toBe(true);
    const sent = (await project.lines('notification-service')).filter(({ message }) =>
      String(message).endsWith('delivered to the outbox'),
    );
    const ids = sent.map(({ notificationId }) => notificationId);
    expect(ids.length).toBeGreaterThanOrEqual(90);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('that crash in the middle of tasks are started again, and their tasks are done', async () => {
    const [worker, localstack] = [await project.container('worker'), await project.container('localstack')];
    const orders = new Orders(gateway);
    // All its slots are taken when the first of many tasks is done, and most tasks are left
    await docker('pause', worker.Id);
    await orders.post(100);
    await docker('unpause', worker.Id);
    await eventually('the first done', async () => (await orders.done()).length > 0, PATIENCE_MS);
    // And it stays so: the broker and the store no longer answer
    await docker('pause', localstack.Id);
    crash(worker);
    const crashedAt = new Date().toISOString();
    await eventually(
      'a restart',
      async () => (await project.container('worker')).RestartCount > worker.RestartCount,
    );
    await docker('unpause', localstack.Id);
    await orders.allDone();
    const list = await read<{ tasks: { attempts: number; startedAt: string; finishedAt: string }[] }>(
      `${gateway}/tasks?name=orders.process&limit=100`,
    );
    const cutOff = list?.tasks.filter((task) => task.startedAt < crashedAt && task.finishedAt > crashedAt);
    expect(cutOff).not.toEqual([]);
    // They ran beside each other, so the crash costs none of them an attempt
    expect(cutOff?.filter(({ attempts }) => attempts > 1)).toEqual([]);
    // The engine reports a resumed container as unhealthy until its next check
    await eventually('all healthy', isReady, PATIENCE_MS);
  });

  test('that `docker compose kill` ends leave their tasks to the workers that `up` starts', async () => {
    const orders = new Orders(gateway);
    const posting = orders.post(40);
    await eventually('some orders accepted', () => orders.ids.length > 5);
    await project.compose('kill --signal KILL worker');
    await posting;
    expect(states(await project.containers('worker'))).toEqual([expect.stringMatching(/unhealthy|exited/)]);
    await project.compose('up --detach --wait --no-recreate');
    await orders.allDone();
  });

  test('that lose the network continue when it is back, without a restart', async () => {
    const complaints = async () =>
      (await project.lines('worker')).filter(({ message }) => String(message).startsWith('cannot receive'))
        .length;
    const before = await complaints();
    const network = await networkOf('internal');
    const { Id, RestartCount, State } = await project.container('worker');
    await docker('network', 'disconnect', network, Id);
    const orders = new Orders(gateway);
    await orders.post(5);
    await eventually('a complaint', async () => (await complaints()) > before, PATIENCE_MS);
    expect(await orders.done()).toEqual([]);
    await docker('network', 'connect', '--alias', 'worker', network, Id);
    await orders.allDone();
    expect(await project.container('worker')).toMatchObject({ RestartCount, State: { Pid: State.Pid } });
  });
});

describe('a service', () => {
  test('that loses the network is unavailable at the gateway, with Retry-After, until the network is back', async () => {
    const networks = [await networkOf('internal'), await networkOf('edge')];
    const { Id } = await project.container('order-service');
    for (const network of networks) await docker('network', 'disconnect', network, Id);
    const askedAtMs = performance.now();
    const answer = await fetch(`${gateway}/orders`);
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, expect.stringMatching(/^\d+$/)]);
    await expect(answer.json()).resolves.toMatchObject({ type: 'urn:baton:problem:service-unavailable' });
    // Sooner than the gateway's own time limit
    expect(performance.now() - askedAtMs).toBeLessThan(20_000);
    for (const network of networks)
      await docker('network', 'connect', '--alias', 'order-service', network, Id);
    const orders = new Orders(gateway);
    await orders.post(3);
    await orders.allDone();
  });

  test('whose LocalStack crashes answers 503; when LocalStack is back, so are queues and tables', async () => {
    const localstack = await project.container('localstack');
    crash(localstack);
    const answer = await eventually('a refusal', async () => {
      const response = await post(gateway);
      return response.status !== 202 && response;
    });
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5']);
    const orders = new Orders(gateway);
    await orders.post(10);
    await orders.allDone();
    expect((await project.container('localstack')).RestartCount).toBe(localstack.RestartCount + 1);
    await eventually('all healthy again', isReady, PATIENCE_MS);
  });
});

test('every container of ours ends with status 0 when it is stopped, and none is killed', async () => {
  const orders = new Orders(gateway);
  await orders.post(20);
  await project.compose('stop');
  const ended = (await project.containers()).filter((each) => OURS.includes(serviceOf(each)));
  const ends = ended.map((each) => `${serviceOf(each)} ${each.State.Status} ${each.State.ExitCode}`);
  expect(ends.toSorted()).toEqual(OURS.map((service) => `${service} exited 0`));
});
