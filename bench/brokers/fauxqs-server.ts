import { buildApp } from 'fauxqs';
import { RequestCounter } from './request-counter.ts';

// fauxqs in a process of its own, for `startFauxqs`

const counter = new RequestCounter();
const app = buildApp({ logger: false });
app.addHook('preHandler', (request, _reply, done) => {
  const { QueueUrl = '' } = (request.body ?? {}) as { QueueUrl?: string };
  counter.count(request.headers['x-amz-target'], QueueUrl.slice(QueueUrl.lastIndexOf('/') + 1));
  done();
});
counter.serve(await app.listen({ port: 0, host: '127.0.0.1' }));
