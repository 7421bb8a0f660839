/** The body of a valid `POST /orders`. */
export const ORDER = JSON.stringify({
  customerId: 'c-1',
  customerEmail: 'customer@example.com',
  items: [{ productId: 'p-1', quantity: 2 }],
  totalAmount: 4200,
  currency: 'EUR',
});

/** The environment variables that name the tables of a stage. */
export function tablesOf(stage: string): Record<string, string> {
  return {
    TASKS_TABLE: `baton-${stage}-tasks`,
    ORDERS_TABLE: `baton-${stage}-orders`,
    NOTIFICATIONS_TABLE: `baton-${stage}-notifications`,
  };
}

/** An environment in which every function can be imported. Nothing listens at its endpoints. */
export const standInEnvironment: Readonly<Record<string, string>> = {
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
  AUTHENTICATION: 'none',
  QUEUE_URL_PREFIX: 'http://127.0.0.1:9/000000000000/baton-dev-',
  ...tablesOf('dev'),
};
