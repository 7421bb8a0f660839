import type { Message } from '@aws-sdk/client-sqs';
import { type Job, settings, Work } from '../protocol.ts';
import { pollQueues, sendBySdk } from './sqs.ts';

// The floor: a loop of plain AWS SDK calls, without any service to its user. It shows the cost of SQS itself

if (settings.role === 'send') await sendBySdk();

const work = new Work(settings);

async function handle(messages: Message[]): Promise<Message[]> {
  await Promise.all(messages.map(({ Body: body = '' }) => work.run(JSON.parse(body) as Job)));
  return messages;
}

await pollQueues(() => handle);
