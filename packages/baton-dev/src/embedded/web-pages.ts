// Refuses requests that web pages send to the servers of this process.
import { randomUUID } from 'node:crypto';
import { type IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Problem } from 'baton-tasks/http';
import { webPageProblem } from 'baton-tasks/tooling/processes';

/** The events with which Node's HTTP server hands out a request and its answer. */
const WITH_ANSWER = ['request', 'checkContinue', 'checkExpectation'];
/** The events with which it hands out a request and its connection. */
const WITH_SOCKET = ['upgrade', 'connect'];

/**
 * Makes every HTTP server of this process refuse requests of web pages, those of serverless-offline and the emulators too.
 * They listen at loopback, where any page in the developer's browser reaches them.
 *
 * @param allowedHosts - other names of this machine, without ports
 */
export function refuseWebPages(allowedHosts: readonly string[]): void {
  const emit = Reflect.get(Server.prototype, 'emit') as (...args: unknown[]) => boolean;
  Server.prototype.emit = function (this: Server, event: string | symbol, ...args: unknown[]): boolean {
    const guarded = [...WITH_ANSWER, ...WITH_SOCKET].includes(String(event));
    const problem = guarded ? webPageProblem(args[0] as IncomingMessage, allowedHosts) : undefined;
    if (!problem) return Reflect.apply(emit, this, [event, ...args]);
    if (args[1] instanceof ServerResponse) refuse(args[1], problem);
    else (args[1] as Duplex).destroy();
    return true;
  };
}

function refuse(response: ServerResponse, problem: Problem): void {
  const { statusCode, headers, body } = problem.toResponse(randomUUID());
  response.writeHead(statusCode, { ...headers, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}
