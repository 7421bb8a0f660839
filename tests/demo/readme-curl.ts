import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { linesOf } from '../support/readme.ts';

const run = promisify(execFile);

/** The README's command that posts an order to port 3000. */
export const curl = linesOf('README.md', 'sh').find((line) => line.startsWith('curl ')) ?? '';

/** What a server answers to a command of the README. */
export interface Answer {
  readonly status: string;
  readonly location: string;
  readonly type: string;
  readonly body: string;
}

/** Runs a curl command; where there is no curl, makes the request that it would make. */
export async function answerTo(command: string): Promise<Answer> {
  if (spawnSync('curl', ['--version']).error) {
    const [, url = '', body = ''] = /(http\S+).* -d "(.*)"$/.exec(command) ?? [];
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(url, { method: 'POST', headers, body: body.replaceAll('\\"', '"') });
    const header = (name: string): string => response.headers.get(name) ?? '';
    return {
      status: String(response.status),
      location: header('location'),
      type: header('content-type'),
      body: await response.text(),
    };
  }
  const { stdout } = await run('sh', ['-c', `${command} --silent`]);
  const [head = '', body = ''] = stdout.split('\r\n\r\n');
  const header = (name: string): string =>
    new RegExp(`^${name}: (.*)$`, 'm').exec(head.replaceAll('\r', ''))?.[1] ?? '';
  return {
    status: head.split(' ')[1] ?? '',
    location: header('location'),
    type: header('content-type'),
    body,
  };
}
