import dynalite from 'dynalite';
import { RequestCounter } from './request-counter.ts';

// dynalite in a process of its own. `startTaskTable` starts it

const counter = new RequestCounter();
const server = dynalite({ createTableMs: 0 });
server.prependListener('request', ({ headers }) => counter.count(headers['x-amz-target']));
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('dynalite has no port; expected TCP');
  counter.serve(`http://127.0.0.1:${address.port}`);
});
