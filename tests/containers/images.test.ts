import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { partFolders } from 'baton-dev/stack/part';
import { eventually } from 'baton-dev/testing/eventually';
import { BackendNetwork } from './backend-network.ts';
import { Container, HEALTH_PORT } from './container.ts';
import { docker } from './docker.ts';
import { buildImage, imageFolders, nodeImage, Tree } from './image.ts';
import { LABEL_ARGS, LABELLED, labelsOf } from './labels.ts';

/** Bundles, their source maps and legal comments; of packages only piscina, whose threads start from its own file. */
const ALLOWED =
  /^\/app(\/(main|thread|watchdog-thread)\.mjs(\.map|\.LEGAL\.txt)?|\/node_modules|\/node_modules\/piscina(\/.*)?)?$/;
/** The default grace of `docker stop` before it kills. */
const STOP_SECONDS = 10;
/** An endpoint where nothing listens. */
const UNREACHABLE = 'http://127.0.0.1:9';
/** With the image's own options a check fails for half a minute before it counts. */
const FAST_CHECKS = ['--health-start-period=1s', '--health-interval=1s', '--health-retries=1'];
const AWAY = { AWS_ENDPOINT_URL_SQS: UNREACHABLE, AWS_ENDPOINT_URL_DYNAMODB: UNREACHABLE };

let network: BackendNetwork;
const containers: Container[] = [];

beforeAll(async () => {
  network = await BackendNetwork.start(partFolders());
});
afterAll(async () => {
  await Promise.all(containers.map((container) => container.remove()));
  await network.stop();
});

/** Starts a folder's image beside the emulators. */
async function start(
  folder: string,
  image: string,
  changes: Record<string, string> = {},
  options: readonly string[] = [],
): Promise<Container> {
  const environment = { ...network.environmentOf(folder), WORKER_WAIT_SECONDS: '1', ...changes };
  const container = await Container.start({ image, environment, options: [...network.options, ...options] });
  containers.push(container);
  return container;
}

/** Runs a program in an image, instead of its own program. */
function runIn(image: string, program: string, ...args: readonly string[]): Promise<string> {
  return docker('run', '--rm', '--network=none', `--entrypoint=${program}`, image, ...args);
}

const tagOf = (folder: string): string => `baton-img-${folder.replace('/', '-')}`;

test('every service and the worker has an image', () => {
  expect(imageFolders).toEqual(partFolders());
});

describe.each(imageFolders)('the image of %s', (folder) => {
  const image = tagOf(folder);
  let tree: Tree;

  beforeAll(async () => {
    tree = await Tree.copy(['common', folder]);
    // A secret that must not get into the image
    await writeFile(join(tree.path, folder, '.env'), 'AWS_SECRET_ACCESS_KEY=secret\n');
    await buildImage({ folder, tag: image, context: tree.path, args: LABEL_ARGS });
  });
  afterAll(() => tree.remove());

  test("needs only its folder, common/ and the root's manifests to be built, and runs by itself", async () => {
    const container = await start(folder, image);
    await container.healthy();
    const answer = await fetch(`${await container.url(HEALTH_PORT)}/health/live`);
    await expect(answer.json()).resolves.toEqual({ status: 'live' });
  });

  test('runs as a user without rights, who can write only to /tmp', async () => {
    const container = await start(folder, image);
    await container.healthy();
    const status = await container.exec('cat', '/proc/1/status');
    expect(status).toMatch(/^Uid:\t1000\t1000\t1000\t1000$/m);
    expect(status).toMatch(/^CapEff:\t0+$/m);
    expect(status).toMatch(/^CapBnd:\t0+$/m);
    await expect(container.exec('touch', '/app/here')).rejects.toThrow('Read-only file system');
    await expect(container.exec('touch', '/tmp/here')).resolves.toBe('');
  });

  test('ends on `docker stop` within seconds, with status 0', async () => {
    const container = await start(folder, image);
    await container.healthy();
    const { exitCode, seconds } = await container.stop();
    expect(exitCode).toBe(0);
    expect(seconds).toBeLessThan(STOP_SECONDS);
  });

  test('has an init, without which its watchdog could not kill it', async () => {
    const script = "process.kill(process.pid, 'SIGKILL'); setTimeout(() => console.log('alive'), 500)";
    await expect(docker('run', '--rm', '--network=none', image, 'node', '-e', script)).rejects.toThrow(
      'docker run',
    );
  });

  test('is unhealthy while it cannot reach SQS and DynamoDB', async () => {
    const container = await start(folder, image, AWAY, FAST_CHECKS);
    const state = ['inspect', '--format={{.State.Health.Status}}', container.name];
    await eventually('an unhealthy container', async () => (await docker(...state)) === 'unhealthy', 30_000);
    const answer = await fetch(`${await container.url(HEALTH_PORT)}/health/live`);
    expect(answer.status).toBe(200);
  });

  test('contains its bundle, but no packages, tests, example environments or secrets', async () => {
    const found = (await runIn(image, 'find', '/app')).split('\n');
    expect(found.filter((path) => !ALLOWED.test(path))).toEqual([]);
    expect(found).toEqual(expect.arrayContaining(['/app/main.mjs', '/app/main.mjs.map']));
    const built = await docker(
      'build',
      '--quiet',
      '--target=build',
      `--file=${join(tree.path, folder, 'Dockerfile')}`,
      tree.path,
    );
    const sources = (await runIn(built, 'find', '/app', '-not', '-path', '/app/node_modules/*')).split('\n');
    expect(sources).toContain(`/app/${folder}/main.ts`);
    expect(sources.filter((path) => /\/tests(\/|$)|\/\.env|\.md$/.test(path))).toEqual([]);
  });

  test('sets only the variables of its addresses, source maps and revision', async () => {
    const [own, base] = await Promise.all([image, nodeImage(folder)].map(environmentIn));
    const added = own?.filter((variable) => !base?.includes(variable));
    const listens =
      folder === 'worker'
        ? ['HEALTH_HOST=0.0.0.0', 'HEALTH_PORT=9090']
        : ['HOST=0.0.0.0', 'PORT=8000', 'HEALTH_PORT=9090'];
    const maps = 'NODE_OPTIONS=--import=data:text/javascript,process.setSourceMapsEnabled(true)';
    const revision = `REVISION=${LABEL_ARGS.REVISION}`;
    expect(added?.toSorted()).toEqual([...listens, maps, revision].toSorted());
  });

  test('has labels with its title, version, revision and source', async () => {
    await expect(labelsOf(image)).resolves.toMatchObject({
      ...LABELLED,
      'org.opencontainers.image.title': folder.split('/').at(-1),
    });
  });

  test('tells its process the revision of its build', async () => {
    await expect(docker('run', '--rm', '--entrypoint', 'printenv', image, 'REVISION')).resolves.toBe(
      LABEL_ARGS.REVISION,
    );
  });

  test('stops at once if a variable is missing or wrong, and names it without a stack', async () => {
    const wrong = await start(folder, image, { TASKS_TABLE: '', LOG_LEVEL: 'loud' });
    await expect(wrong.ended()).resolves.toMatchObject({ exitCode: 1 });
    const said = await wrong.output();
    expect(said).toContain('TASKS_TABLE is not set');
    expect(said).toContain('LOG_LEVEL held "loud": expected one of trace, debug');
    expect(said).not.toMatch(/^\s+at /m);
  });
});

/** The variables that an image sets. */
async function environmentIn(image: string): Promise<string[]> {
  return JSON.parse(await docker('image', 'inspect', '--format={{json .Config.Env}}', image)) as string[];
}

test('stacks in the log point to lines of the source', async () => {
  const folder = 'functions/task-service';
  await buildImage({ folder, tag: tagOf(folder) });
  const container = await start(folder, tagOf(folder), { TASKS_TABLE: 'no-such-table' });
  const url = await container.url();
  await eventually('a failed request', async () => {
    const answer = await fetch(`${url}/tasks/none`).catch(() => undefined);
    return answer !== undefined && answer.status >= 500;
  });
  const lines = await container.lines();
  const stacks = lines.map(({ error }) => (error as { stack?: string } | undefined)?.stack ?? '');
  expect(stacks.join('\n')).toMatch(/packages\/baton\/src\/[\w/-]+\.ts:\d+/);
});
