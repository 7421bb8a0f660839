import { recordOrderOutcome, recordOrderTaskEnd } from '@baton/common/contracts/orders';
import { implement, RejectTask } from 'baton-tasks';
import { createConsumer } from 'baton-tasks/service';
import { orders, service } from './service.ts';

const recordOutcome = implement(recordOrderOutcome, async (outcome, { logger: line }) => {
  const recorded = await orders.record(outcome);
  if (recorded === 'unknown') throw new RejectTask(`There is no order ${outcome.orderId}`);
  line.info({ orderId: outcome.orderId, recorded }, `order ${outcome.status}`);
  return { recorded: recorded === 'recorded' };
});

const recordTaskEnd = implement(recordOrderTaskEnd, async (end, { logger: line }) => {
  const { subject: orderId, task, state } = end;
  if (orderId === undefined)
    throw new RejectTask(`The end of a ${task} has no subject: expected an order's id`);
  const recorded = await orders.recordEnd(orderId, end);
  if (recorded === 'unknown')
    throw new RejectTask(`There is no order ${orderId}: expected the subject of ${task} to be an order's id`);
  line.info({ orderId, recorded }, `${task} ${state}`);
  return { recorded: recorded === 'recorded' };
});

/** Consumes the queue `order-outcomes`. */
export const orderOutcomes = createConsumer(service, [recordOutcome, recordTaskEnd]);
