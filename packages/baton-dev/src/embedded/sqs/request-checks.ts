// The checks of requests to the embedded SQS.
import {
  type Body,
  type FauxqsQueue,
  type FauxqsStore,
  type Handler,
  type MessageAttribute,
  Refusal,
} from './fauxqs-internals.ts';

/** The characters of bodies and attribute values (AWS: "SendMessage"). */
const ALLOWED_TEXT = /^[\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]*$/u;
/** AWS: "Amazon SQS message metadata". */
const MAX_ATTRIBUTES = 10;
const ATTRIBUTE_NAME = /^(?!aws\.|amazon\.|\.)(?!.*\.\.)[\w.-]{1,256}(?<!\.)$/i;
const DATA_TYPE = /^(?:String|Number|Binary)(?:\..+)?$/;
const MAX_ID_CHARACTERS = 80;
/** This emulator's own form of a receipt handle. */
const RECEIPT_HANDLE = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** AWS: "ChangeMessageVisibility", counted from the receive. */
const MAX_VISIBILITY_SECONDS = 43_200;

/** The parameters that are whole numbers, with their limits at AWS. */
const NUMBERS: Readonly<Record<string, readonly [least: number, most: number]>> = {
  DelaySeconds: [0, 900],
  VisibilityTimeout: [0, MAX_VISIBILITY_SECONDS],
  WaitTimeSeconds: [0, 20],
  MaxNumberOfMessages: [1, 10],
  MaxNumberOfMessagesPerSecond: [1, 500],
  MaxResults: [1, 1000],
};

type Entry = Body & { readonly Id?: string };
interface FailedEntry {
  readonly Id: string | undefined;
  readonly SenderFault: true;
  readonly Code: string;
  readonly Message: string;
}
/** Checks a request or an entry of a batch. @throws Refusal */
type Check = (body: Body, queue: FauxqsQueue, store: FauxqsStore) => void;

const CHECKS: Readonly<Record<string, Check>> = {
  SendMessage: checkMessage,
  DeleteMessage: checkReceiptHandle,
  ChangeMessageVisibility: checkVisibility,
};

/** Whether SQS accepts a text: it accepts the characters of XML 1.0, including those beyond U+FFFF. */
export function isAllowedText(text: string): boolean {
  return ALLOWED_TEXT.test(text);
}

/** A handler that first refuses what AWS refuses. */
export function checked(action: string, handler: Handler): Handler {
  const batch = action.endsWith('Batch');
  const check = CHECKS[batch ? action.slice(0, -'Batch'.length) : action];
  return async (body, store, request) => {
    checkNumberTypes(body);
    const queue = store.getQueue(String(body['QueueUrl']));
    if (!queue || !check) {
      checkNumberRanges(body);
      return handler(body, store, request);
    }
    if (!batch) {
      checkNumberRanges(body);
      check(body, queue, store);
      return handler(body, store, request);
    }
    return inBatch(
      body,
      (entry) => check(entry, queue, store),
      (entries) => handler({ ...body, Entries: entries }, store, request),
    );
  };
}

/** Checks the entries of a batch. Wrong entries fail alone, but a missing parameter fails the batch. */
async function inBatch(
  { Entries }: Body,
  check: (entry: Entry) => void,
  handle: (entries: readonly Entry[]) => object | Promise<object>,
): Promise<object> {
  const entries = Array.isArray(Entries) ? (Entries as Entry[]) : [];
  if (entries.some(({ Id }) => String(Id).length > MAX_ID_CHARACTERS))
    throw new Refusal(
      'InvalidBatchEntryId',
      `A batch entry id can be at most ${MAX_ID_CHARACTERS} letters long.`,
    );
  for (const entry of entries) checkNumberTypes(entry);
  const failed: FailedEntry[] = [];
  const right = entries.filter((entry) => {
    try {
      checkNumberRanges(entry);
      check(entry);
      return true;
    } catch (error) {
      if (!(error instanceof Refusal) || error.code === 'MissingParameter') throw error;
      failed.push({ Id: entry.Id, SenderFault: true, Code: error.code, Message: error.message });
      return false;
    }
  });
  if (right.length === 0 && failed.length > 0) return { Successful: [], Failed: failed };
  const answer = (await handle(right)) as { readonly Failed?: readonly FailedEntry[] };
  return { ...answer, Failed: [...(answer.Failed ?? []), ...failed] };
}

/** JSON has no NaN: the SDK sends the text "NaN", which AWS refuses as a number. */
function checkNumberTypes(body: Body): void {
  for (const name of Object.keys(NUMBERS)) {
    const value = body[name] ?? 0;
    if (!Number.isSafeInteger(value))
      throw new Refusal(
        'SerializationException',
        `${JSON.stringify(value)} of ${name} can not be converted to an Integer`,
      );
  }
}

function checkNumberRanges(body: Body): void {
  for (const [name, [least, most]] of Object.entries(NUMBERS)) {
    const value = body[name];
    if (typeof value !== 'number' || (value >= least && value <= most)) continue;
    const reason = `Must be between ${least} and ${most}.`;
    throw new Refusal(
      'InvalidParameterValue',
      `Value ${value} for parameter ${name} is invalid. Reason: ${reason}`,
    );
  }
}

function checkMessage({ MessageBody, MessageAttributes = {} }: Body): void {
  if (typeof MessageBody !== 'string' || MessageBody === '')
    throw new Refusal('MissingParameter', 'The request must contain the parameter MessageBody.');
  const attributes = Object.entries(MessageAttributes as Record<string, MessageAttribute>);
  if (attributes.length > MAX_ATTRIBUTES)
    throw new Refusal(
      'InvalidParameterValue',
      `Number of message attributes [${attributes.length}] exceeds the allowed maximum [${MAX_ATTRIBUTES}].`,
    );
  for (const [name, attribute] of attributes) {
    const wrong = wrongWithAttribute(name, attribute);
    if (wrong) throw new Refusal('InvalidParameterValue', `Message (user) attribute '${name}' ${wrong}.`);
  }
}

function wrongWithAttribute(name: string, attribute: MessageAttribute): string | undefined {
  const { DataType = '', StringValue = '', BinaryValue = '' } = attribute;
  if (!ATTRIBUTE_NAME.test(name)) return 'has a name that is not allowed';
  if (!DATA_TYPE.test(DataType)) return 'has an invalid message attribute type';
  if (DataType.startsWith('Binary')) return BinaryValue === '' ? 'must contain a non-empty value' : undefined;
  if (StringValue === '') return 'must contain a non-empty value';
  if (!isAllowedText(StringValue)) return 'contains invalid characters';
  const number = DataType.startsWith('Number') ? Number(StringValue) : 0;
  return Number.isFinite(number) ? undefined : 'could not be cast to a number';
}

/** Refuses an unknown receipt handle, or one of another queue. An outdated one is accepted, and deletes nothing. */
function checkReceiptHandle({ ReceiptHandle }: Body, queue: FauxqsQueue, store: FauxqsStore): void {
  const handle = String(ReceiptHandle);
  const ofOther = (): boolean =>
    [...store.allQueues()].some((other) => other !== queue && other.inflightMessages.has(handle));
  if (!RECEIPT_HANDLE.test(handle) || (!queue.inflightMessages.has(handle) && ofOther()))
    throw new Refusal(
      'ReceiptHandleIsInvalid',
      `The input receipt handle "${handle}" is not a valid receipt handle.`,
    );
}

function checkVisibility(body: Body, queue: FauxqsQueue, store: FauxqsStore): void {
  checkReceiptHandle(body, queue, store);
  const { receivedAtMs } = queue.inflightMessages.get(String(body['ReceiptHandle'])) ?? {};
  if (receivedAtMs === undefined) return;
  const passedSeconds = Math.ceil((Date.now() - receivedAtMs) / 1000);
  if (passedSeconds + Number(body['VisibilityTimeout']) <= MAX_VISIBILITY_SECONDS) return;
  throw new Refusal(
    'InvalidParameterValue',
    `Total VisibilityTimeout for the message is beyond the limit [${MAX_VISIBILITY_SECONDS} seconds]`,
  );
}
