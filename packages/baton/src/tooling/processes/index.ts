// The entry `baton-tasks/tooling/processes`, for tools that run workers and servers. Services do not import it. It may
// change in any version.

/** Run a worker inside another process. */
export { Worker } from '../../worker/worker.ts';
export { readWorkerConfig, type WorkerConfig } from '../../worker/config.ts';
export { serveHealth } from '../../worker/worker-process.ts';
export { stopAndExit } from '../../worker/worker-process.ts';
/** Serve HTTP, and Lambda's Invoke API. */
export {
  DEADLINE_HEADER,
  functionNameOf,
  type Functions,
  invocationsOf,
  type InvokeAnswer,
  MAX_INVOCATIONS,
  refused,
  serveFunctions,
} from '../../http/function-server.ts';
export { createRouter } from '../../http/router.ts';
export { withToken } from '../../http/functions-token.ts';
export { toGatewayEvent } from '../../http/gateway-event.ts';
export type { HttpResponse } from '../../http/http-message.ts';
export { MAX_BODY_BYTES } from '../../http/json-body.ts';
export {
  type Address,
  type ConnectionTimeouts,
  type Incoming,
  listenAt,
  type RunningServer,
} from '../../http/listener.ts';
export { runServers } from '../../http/run-server.ts';
export { CALLER_HEADER, signedCaller } from '../../http/forwarded-caller.ts';
export { RateLimit } from '../../http/rate-limit.ts';
export { TrustedProxies } from '../../http/trusted-proxies.ts';
export { checkWebPage, webPageProblem } from '../../http/web-pages.ts';
export { problemsOf, serveProcessHealth } from '../../http/server.ts';
/** Start and end a process. */
export { orExit } from '../../process/config.ts';
export {
  allowedHostsOf,
  checkFunctionsServer,
  checkHttpTimeouts,
  functionsServer,
  hostNames,
  httpTimeouts,
  rateLimitOf,
  rateLimitVariables,
  webPageVariables,
} from '../../http/server-config.ts';
export { ownAddressIn } from '../../process/own-address.ts';
export { exitProcess, exitWithin } from '../../process/exit.ts';
export { onStopSignal } from '../../process/stop-signal.ts';
