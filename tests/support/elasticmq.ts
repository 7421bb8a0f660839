import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { eventually } from './eventually.ts';
import { freePort } from './program.ts';

const POM = fileURLToPath(new URL('../brokers/pom.xml', import.meta.url));
const FOLDER = fileURLToPath(new URL('../../node_modules/.cache/elasticmq', import.meta.url));
const JARS = join(FOLDER, 'lib');
const COPY = 'org.apache.maven.plugins:maven-dependency-plugin:2.8:copy-dependencies';
const FETCH_MS = 300_000;
const START_MS = 60_000;
const HOST = '127.0.0.1';

const call = promisify(execFile);

/** What ElasticMQ needs that this machine lacks; undefined where it can run. */
export async function missingForElasticMq(): Promise<string | undefined> {
  const needs: [string, string][] = [['java', '-version']];
  if (!existsSync(join(FOLDER, 'fetched'))) needs.push(['mvn', '--version']);
  for (const [program, argument] of needs) {
    const found = await call(program, [argument]).catch(() => undefined);
    if (!found) return program;
  }
  return undefined;
}

/** The version of ElasticMQ that is fetched. */
export function elasticMqVersion(): string {
  return (
    /elasticmq-server_3<\/artifactId>\s*<version>(.+)<\/version>/.exec(readFileSync(POM, 'utf8'))?.[1] ?? '?'
  );
}

/** An ElasticMQ in a process of its own, that only this machine reaches. */
export class ElasticMq {
  readonly endpoint: string;
  readonly #process: ChildProcess;

  private constructor(server: ChildProcess, port: number) {
    this.#process = server;
    this.endpoint = `http://${HOST}:${port}`;
  }

  /**
   * Has Maven fetch it where that was not done yet, and starts it. Resolves once it answers.
   *
   * @param heapMb - the most memory that its messages and all else may take. Default 256
   */
  static async start(heapMb = 256): Promise<ElasticMq> {
    await fetchJars();
    const port = await freePort();
    const settings = Object.entries(settingsOf(port)).map(([name, value]) => `-D${name}=${value}`);
    const args = [`-Xmx${heapMb}m`, ...settings, '-cp', join(JARS, '*'), 'org.elasticmq.server.Main'];
    const server = spawn('java', args, { stdio: ['ignore', 'ignore', 'inherit'] });
    // However this process ends
    process.once('exit', () => server.kill('SIGKILL'));
    const broker = new ElasticMq(server, port);
    await eventually('ElasticMQ answers', () => broker.#answers(), START_MS);
    return broker;
  }

  /** Ends it, and with it all its queues. */
  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    // A soft stop would wait for every long poll, though nobody is there any more
    this.#process.kill('SIGKILL');
    await once(this.#process, 'exit');
  }

  async #answers(): Promise<boolean> {
    if (this.#process.exitCode !== null) throw new Error('ElasticMQ ended before it answered');
    return fetch(this.endpoint).then(
      () => true,
      () => false,
    );
  }
}

async function fetchJars(): Promise<void> {
  const fetched = join(FOLDER, 'fetched');
  if (existsSync(fetched)) return;
  mkdirSync(FOLDER, { recursive: true });
  await call('mvn', ['-q', '-B', '-f', POM, COPY, `-DoutputDirectory=${JARS}`], {
    cwd: dirname(POM),
    timeout: FETCH_MS,
  });
  // A fetch that was broken off leaves no such file, and is made again
  writeFileSync(fetched, '');
}

function settingsOf(port: number): Record<string, string | number | boolean> {
  return {
    'rest-sqs.bind-hostname': HOST,
    'rest-sqs.bind-port': port,
    'rest-sqs.sqs-limits': 'strict',
    'rest-stats.enabled': false,
    // What stands in queue URLs and ARNs
    'node-address.host': HOST,
    'node-address.port': port,
    'generate-node-address': false,
    'aws.region': 'us-east-1',
    'aws.accountId': '000000000000',
  };
}
