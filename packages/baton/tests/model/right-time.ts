import { ClockWatch } from 'baton-tasks/tooling';

/** Gives a stand-in client the right time of its service, as the Date header of real responses does. */
export function withRightTime<Client extends object>(client: Client): Client {
  new ClockWatch('the model', { now: () => performance.now(), answers: false }).listenTo(client);
  return client;
}
