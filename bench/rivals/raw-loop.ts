import type { Message } from '@aws-sdk/client-sqs';
import { type Job, settings, Work } from '../protocol.ts';
import { pollQueues, sendBySdk } from './sqs.ts';

// The floor: what SQS itself costs a program that does nothing for its user, as a loop of the AWS SDK's own calls.

if (settings.role === 'send') await sendBySdk();

const work = new Work(settings);

async function handle(messages: Message[]): Promise<Message[]> {
  await Promise.all(messages.map(({ Body: body = '' }) => work.run(JSON.parse(body) as Job)));
  return messages;
}

await pollQueues(() => handle);
