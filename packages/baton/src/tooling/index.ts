// The entry `baton-tasks/tooling`, for tools that build on Baton's inside: runtimes, deploys, operators' commands,
// benchmarks. Services do not import it. It may change in any version. It loads no HTTP server
// and no worker, because most tools need neither: `baton-tasks/tooling/processes` has them.

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
/** Find what a task runs, and run it in a function. */
export { contractsToTick } from '../worker/schedule/scheduler.ts';
export { Implementations } from '../task/implementation.ts';
export { createLambdaConsumer, type LambdaConsumer } from '../lambda/lambda-consumer.ts';
/** Write logs. */
export { writeLogsTo } from '../telemetry/logger.ts';
export { standardOutput } from '../telemetry/standard-output.ts';
export { reasonOf } from '../telemetry/thrown.ts';
