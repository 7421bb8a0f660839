import { freePorts } from 'baton-dev/testing/program';
import type { Bench } from '../bench.ts';
import { ORDER } from './environment.ts';
import { OwnProcess } from './own-process.ts';

const START_MS = 60_000;
const COMMANDS = {
  /** The command that a newcomer runs. */
  npm: ['npm', 'start'],
  /** The program that `npm start` runs, as a direct child, so that its usage can be read. */
  node: [process.execPath, 'node_modules/serverless/bin/serverless.js', 'offline'],
} as const;

/** A process of the embedded runtime on its own ports, and its URL. */
export interface EmbeddedSystem {
  readonly process: OwnProcess;
  readonly url: string;
}

/** Starts the embedded runtime, and resolves once it has accepted an order. */
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
