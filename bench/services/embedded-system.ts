import { freePorts } from 'baton-dev/testing/program';
import type { Bench } from '../bench.ts';
import { ORDER } from './environment.ts';
import { OwnProcess } from './own-process.ts';

const START_MS = 60_000;
const COMMANDS = {
  /** As a newcomer starts it. */
  npm: ['npm', 'start'],
  /** What that starts, as a process that can be asked what it uses. */
  node: [process.execPath, 'node_modules/serverless/bin/serverless.js', 'offline'],
} as const;

/** The embedded runtime, on ports of its own, and where it answers. */
export interface EmbeddedSystem {
  readonly process: OwnProcess;
  readonly url: string;
}

/** Starts the embedded runtime, and resolves when it has taken its first order. */
export async function startEmbedded(by: keyof typeof COMMANDS, bench: Bench): Promise<EmbeddedSystem> {
  const environment = await freePorts();
  const own = new OwnProcess({ command: COMMANDS[by], environment, name: 'embedded', bench });
  const url = `http://127.0.0.1:${environment['HTTP_PORT']}`;
  const request = { method: 'POST', headers: { 'content-type': 'application/json' }, body: ORDER };
  await own.until('the first 202', START_MS, async () => {
    const answer = await fetch(`${url}/orders`, request).catch(() => undefined);
    return answer?.status === 202 || undefined;
  });
  return { process: own, url };
}
