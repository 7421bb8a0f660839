import { ClockWatch } from 'baton-tasks/tooling';

/** A stand-in for a client whose service's time is known: as by the Date header of its answers, whatever the wall clock. */
export function withRightTime<Client extends object>(client: Client): Client {
  new ClockWatch('the model', { now: () => performance.now(), answers: false }).listenTo(client);
  return client;
}
