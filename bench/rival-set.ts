import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Contender } from './contender.ts';

/** The folder of the rivals' programs and packages: a project of its own. */
export const RIVALS_FOLDER: string = fileURLToPath(new URL('rivals/', import.meta.url));

/** The Python that Celery is installed for. */
export const VENV_PYTHON: string = `${RIVALS_FOLDER}.venv/bin/python`;

/** A contender that Baton is measured against. */
export interface Rival extends Contender {
  /** The installer of its packages. */
  readonly needs: 'npm' | 'pip';
}

const ONE_A_RECEIVE = { BENCH_RECEIVE: '1' } as const;

const inNode = (file: string) =>
  ({
    command: [process.execPath, `${RIVALS_FOLDER}${file}`],
    queues: 'sqs',
    needs: 'npm',
    // Ten receives of ten. No value from 10 to 200 (BullMQ: 500) was better by more than the spread
    drainConcurrency: 100,
  }) as const;

/** The rivals of Baton, each at its best settings. Its program gives the reasons for them. */
export const rivals: readonly Rival[] = [
  {
    ...inNode('raw-loop.ts'),
    name: 'raw-loop',
    version: lockedVersion('@aws-sdk/client-sqs'),
    sends: 'tens',
    unequal: ONE_A_RECEIVE,
  },
  {
    ...inNode('sqs-consumer.ts'),
    name: 'sqs-consumer',
    version: lockedVersion('sqs-consumer'),
    sends: 'tens',
    share: 0.5,
  },
  {
    ...inNode('sqs-consumer.ts'),
    name: 'sqs-consumer-single',
    version: lockedVersion('sqs-consumer'),
    environment: ONE_A_RECEIVE,
    sends: 'tens',
    // Twice the requests and twice the CPU, but no task waits for another
    measures: ['mixed-queued', 'mixed-open', 'beside-slow'],
  },
  {
    ...inNode('sqs-consumer.ts'),
    name: 'sqs-consumer-batch',
    version: lockedVersion('sqs-consumer'),
    environment: { BENCH_VARIANT: 'batch' },
    sends: 'tens',
  },
  {
    ...inNode('message-queue-toolkit.ts'),
    name: 'message-queue-toolkit',
    version: lockedVersion('@message-queue-toolkit/sqs'),
    sends: 'ones',
    unequal: ONE_A_RECEIVE,
  },
  {
    ...inNode('powertools.ts'),
    name: 'powertools',
    version: lockedVersion('@aws-lambda-powertools/batch'),
    sends: 'nothing',
    unequal: ONE_A_RECEIVE,
  },
  {
    ...inNode('bullmq.ts'),
    name: 'bullmq',
    version: lockedVersion('bullmq'),
    queues: 'redis',
    sends: 'tens',
  },
  {
    name: 'celery',
    version: requiredVersion('celery'),
    command: [VENV_PYTHON, `${RIVALS_FOLDER}celery/celery_program.py`],
    queues: 'sqs',
    needs: 'pip',
    sends: 'ones',
    share: 0.1,
    drainConcurrency: 10,
  },
];

/** The version of a package in the rivals' lock file. */
export function lockedVersion(name: string): string {
  const lock = JSON.parse(readFileSync(`${RIVALS_FOLDER}package-lock.json`, 'utf8')) as {
    readonly packages: Readonly<Record<string, { readonly version?: string }>>;
  };
  const { version } = lock.packages[`node_modules/${name}`] ?? {};
  if (version === undefined) throw new Error(`bench/rivals/package-lock.json has no package ${name}`);
  return version;
}

/** The version of a Python package in the rivals' requirements. */
export function requiredVersion(name: string): string {
  const lines = readFileSync(`${RIVALS_FOLDER}celery/requirements.txt`, 'utf8');
  const version = new RegExp(`^${name}(?:\\[[a-z,]+\\])?==(\\S+)$`, 'm').exec(lines)?.[1];
  if (version === undefined) throw new Error(`bench/rivals/celery/requirements.txt has no line ${name}==...`);
  return version;
}
