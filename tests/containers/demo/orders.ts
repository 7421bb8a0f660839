import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from 'baton-dev/testing/eventually';

const ORDER = {
  customerId: 'c-1',
  customerEmail: 'customer@example.com',
  items: [{ productId: 'p-1', quantity: 2 }],
  totalAmount: 4200,
  currency: 'EUR',
};
/** The requests that LocalStack's tables serve side by side without slowing down. */
const AT_ONE_TIME = 8;
const RETRY_MS = 200;
const LOOK_EVERY_MS = 250;
/** A task is tried again after up to a minute if its broker or store did not answer in time. */
const PATIENCE_MS = 120_000;

/** An order as the API shows it. */
export interface OrderView {
  readonly orderId: string;
  readonly status: string;
  readonly notification?: { readonly notificationId: string };
}

/** A notification as the API shows it. */
interface NotificationView {
  readonly notificationId: string;
  readonly status: string;
}

/** The JSON object at a URL; undefined if there is none, or nothing answers. */
export async function read<Body = Record<string, unknown>>(url: string): Promise<Body | undefined> {
  const response = await fetch(url).catch(() => undefined);
  return response?.ok ? ((await response.json()) as Body) : undefined;
}

/** Posts an order. */
export function post(api: string, key: string = randomUUID()): Promise<Response> {
  const headers = { 'content-type': 'application/json', 'idempotency-key': key };
  return fetch(`${api}/orders`, { method: 'POST', headers, body: JSON.stringify(ORDER) });
}

/** Posts orders side by side to an API, and follows them. */
export class Orders {
  readonly #api: string;
  /** The ids of accepted orders. */
  readonly ids: string[] = [];

  constructor(api: string) {
    this.#api = api;
  }

  /** Posts that many orders. Repeats each until it is accepted, with a wait after each 503. */
  async post(count: number): Promise<void> {
    const left = Array.from({ length: count }).values();
    const lane = async (): Promise<void> => {
      for (const _ of left) this.ids.push(await this.#postOne());
    };
    await Promise.all(Array.from({ length: AT_ONE_TIME }, lane));
  }

  /** The ids of orders that are completed and whose customers are notified. */
  async done(): Promise<string[]> {
    const [orders, notifications] = await Promise.all([
      this.#list<OrderView>('orders'),
      this.#list<NotificationView>('notifications'),
    ]);
    const delivered = new Set(
      notifications.flatMap(({ status, notificationId }) => (status === 'delivered' ? [notificationId] : [])),
    );
    const done = orders.filter(
      ({ status, notification }) =>
        status === 'completed' && delivered.has(notification?.notificationId ?? ''),
    );
    const own = new Set(this.ids);
    return done.map(({ orderId }) => orderId).filter((id) => own.has(id));
  }

  /** Resolves once every order is done. @throws Error with the orders that are not, when it takes too long */
  async allDone(withinMs = PATIENCE_MS): Promise<void> {
    let done: string[] = [];
    const look = async (): Promise<boolean> => {
      done = await this.done();
      // Reading the lists costs the emulator as much as some orders do
      if (done.length < this.ids.length) await sleep(LOOK_EVERY_MS);
      return done.length === this.ids.length;
    };
    await eventually('all orders done', look, withinMs).catch((cause: unknown) => {
      const missing = this.ids.filter((id) => !done.includes(id));
      throw new Error(`${missing.length} of ${this.ids.length} orders are not done: ${missing.join(', ')}`, {
        cause,
      });
    });
  }

  /** All pages of a list; none if nothing answers. */
  async #list<Item>(name: 'orders' | 'notifications'): Promise<Item[]> {
    const items: Item[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const query: string = `limit=100${cursor && `&cursor=${cursor}`}`;
      type Page = { readonly nextCursor: string | null } & Readonly<Record<string, Item[]>>;
      const page: Page | undefined = await read<Page>(`${this.#api}/${name}?${query}`);
      items.push(...(page?.[name] ?? []));
      cursor = page?.nextCursor ?? null;
    }
    return items;
  }

  async #postOne(): Promise<string> {
    const key = randomUUID();
    const untilMs = performance.now() + PATIENCE_MS;
    for (;;) {
      const response = await post(this.#api, key).catch(() => undefined);
      if (response?.status === 202) return ((await response.json()) as OrderView).orderId;
      await response?.body?.cancel();
      if (performance.now() > untilMs) throw new Error(`No order is accepted: ${response?.status}`);
      await sleep(RETRY_MS);
    }
  }
}
