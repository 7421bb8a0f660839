// The entry `baton-tasks/tooling`, for tools that build on Baton's inside: runtimes, deploys, operators' commands,
// benchmarks. Services do not import it. It may change in any version.

/** Read contracts: their lanes, schedules and names. */
export { isScheduled } from '../task/task.ts';
export { isLaneName, laneOfQueue, laneQueueName, lanesByQueue, queuesOfLanes } from '../task/lane.ts';
export { tickTaskId, tickTime } from '../task/schedule.ts';
/** Read and write messages. */
export { decodeEnvelope, encodeEnvelope, type Envelope } from '../sqs/envelope.ts';
export { tickBody } from '../sqs/tick-message.ts';
export { deadLetterEntry } from '../sqs/dead-letter.ts';
export { attributesPutBack } from '../sqs/put-back.ts';
export { DEAD_LETTER_REASONS, type DeadLetterReason } from '../task/dead-letter-reason.ts';
export { MAX_MESSAGE_BYTES, maxPayloadBytesOf } from '../task/task.ts';
export { callInBatch } from '../sqs/sqs-batch.ts';
export { QueueUrls } from '../sqs/queue-urls.ts';
/** Connect to AWS, or to an emulator. */
export { createSqsClient } from '../sqs/sqs-client.ts';
export { createDocumentClient } from '../aws/documents.ts';
export { isTransient } from '../aws/answers.ts';
export { secretReference } from '../aws/secrets-manager.ts';
export { TaskClient } from '../send/task-client.ts';
export { TaskStore } from '../tracked/task-store.ts';
export { CANCEL_ATTRIBUTES, FLOW_ATTRIBUTES, SENDER_ATTRIBUTES } from '../tracked/writable-attributes.ts';
export type { NewTask } from '../send/task-records.ts';
export type { Conclusion, HeldClaim } from '../tracked/task-attempts.ts';
export { StoreTracker } from '../tracked/store-tracker.ts';
export { ClockWatch } from '../time/clock-watch.ts';
/** Run a worker, or a function's consumer, inside another process. */
export { Worker } from '../worker/worker.ts';
export { readWorkerConfig, type WorkerConfig } from '../worker/config.ts';
export { serveHealth } from '../worker/worker-process.ts';
export { stopAndExit } from '../worker/worker-process.ts';
export { contractsToTick } from '../worker/schedule/scheduler.ts';
export { Implementations } from '../task/implementation.ts';
export { createLambdaConsumer, type LambdaConsumer } from '../lambda/lambda-consumer.ts';
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
} from '../http/function-server.ts';
export { createRouter } from '../http/router.ts';
export { withToken } from '../http/functions-token.ts';
export { toGatewayEvent } from '../http/gateway-event.ts';
export type { HttpResponse } from '../http/http-message.ts';
export { MAX_BODY_BYTES } from '../http/json-body.ts';
export {
  type Address,
  type ConnectionTimeouts,
  type Incoming,
  listenAt,
  type RunningServer,
} from '../http/listener.ts';
export { runServers } from '../http/run-server.ts';
export { RateLimit } from '../http/rate-limit.ts';
export { checkWebPage, webPageProblem } from '../http/web-pages.ts';
export { problemsOf, serveProcessHealth } from '../http/server.ts';
/** Start and end a process. */
export { orExit } from '../process/config.ts';
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
} from '../http/server-config.ts';
export { ownAddressIn } from '../process/own-address.ts';
export { exitProcess, exitWithin } from '../process/exit.ts';
export { onStopSignal } from '../process/stop-signal.ts';
export { writeLogsTo } from '../telemetry/logger.ts';
export { standardOutput } from '../telemetry/standard-output.ts';
export { reasonOf } from '../telemetry/thrown.ts';
