import { type DynamoDBDocumentClient, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { cursorOf, pageQuery, type Retention } from 'baton-tasks/http';
import * as z from 'zod';

const LISTED = { listedIn: 'payments' };

const positionSchema = z.object({ listedAt: z.string(), paymentId: z.uuid() });

/** The members of a payment's row that its list needs. */
interface PaymentRow {
  readonly paymentId: string;
  readonly listedAt: string;
}

/** The payments of a service, as its store.ts has them. Here with their list alone. */
export class PaymentStore {
  readonly #documents: DynamoDBDocumentClient;
  readonly #table: string;
  readonly #retention: Retention;

  constructor(documents: DynamoDBDocumentClient, table: string, retention: Retention) {
    this.#documents = documents;
    this.#table = table;
    this.#retention = retention;
  }

  /**
   * Lists payments, newest first. A new one may be missing for a moment: the index follows the table. A page may be short
   * although more follow: payments whose time is over are left out of it.
   */
  async list(limit: number, after: z.output<typeof positionSchema> | undefined) {
    const { Items = [], LastEvaluatedKey } = await this.#documents.send(
      new QueryCommand({
        TableName: this.#table,
        IndexName: 'newest-first',
        KeyConditionExpression: 'listedIn = :listedIn',
        FilterExpression: 'attribute_not_exists(expiresAt) OR expiresAt > :now',
        ExpressionAttributeValues: { ':listedIn': LISTED.listedIn, ':now': this.#retention.nowSeconds },
        ScanIndexForward: false,
        Limit: limit,
        ...(after && { ExclusiveStartKey: { ...LISTED, ...after } }),
      }),
    );
    return {
      payments: Items as PaymentRow[],
      next: LastEvaluatedKey && positionSchema.parse(LastEvaluatedKey),
    };
  }
}

/** The query of the list. */
export const listSchema = z.strictObject(pageQuery);
const cursor = cursorOf(positionSchema);

/** The part of a payment that callers see. */
function paymentView({ paymentId }: PaymentRow) {
  return { paymentId };
}

/** The answer of the route `GET /payments`. */
export async function pageOf(payments: PaymentStore, { limit, cursor: after }: z.output<typeof listSchema>) {
  const page = await payments.list(limit, cursor.decode(after));
  const { items, nextCursor } = cursor.page(page.payments, page.next, paymentView);
  return { status: 200, body: { payments: items, nextCursor } };
}
