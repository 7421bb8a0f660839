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
/** What LocalStack's tables take at one time without growing slower. */
const AT_ONE_TIME = 8;
const RETRY_MS = 200;
const LOOK_EVERY_MS = 250;
/** A task whose broker or store did not answer in time is tried again after up to a minute. */
const PATIENCE_MS = 120_000;

/** An order, as an API tells of it. */
export interface OrderView {
  readonly orderId: string;
  readonly status: string;
  readonly notification?: { readonly notificationId: string };
}

/** A notification, as an API tells of it. */
interface NotificationView {
  readonly notificationId: string;
  readonly status: string;
}

/** The JSON object at a URL; undefined where there is none, or nobody who says so. */
export async function read<Body = Record<string, unknown>>(url: string): Promise<Body | undefined> {
  const response = await fetch(url).catch(() => undefined);
  return response?.ok ? ((await response.json()) as Body) : undefined;
}

/** Posts an order. */
export function post(api: string, key: string = randomUUID()): Promise<Response> {
  const headers = { 'content-type': 'application/json', 'idempotency-key': key };
  return fetch(`${api}/orders`, { method: 'POST', headers, body: JSON.stringify(ORDER) });
}

/** Orders that are posted side by side at an API, and what becomes of them. */
export class Orders {
  readonly #api: string;
  /** Ids of those that were accepted. */
  readonly ids: string[] = [];

  constructor(api: string) {
    this.#api = api;
  }

  /** Posts so many, each until it is accepted: and waits after each 503 before it tries again. */
  async post(count: number): Promise<void> {
    const left = Array.from({ length: count }).values();
    const lane = async (): Promise<void> => {
      for (const _ of left) this.ids.push(await this.#postOne());
    };
    await Promise.all(Array.from({ length: AT_ONE_TIME }, lane));
  }

  /** Ids of those that are done with: completed, and their customers notified. */
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

  /** Resolves once every one is done with. @throws Error saying how many are not, when that takes too long */
  async allDone(withinMs = PATIENCE_MS): Promise<void> {
    let done: string[] = [];
    const look = async (): Promise<boolean> => {
      done = await this.done();
      // A look costs the emulator as much as some orders do
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

  /** All pages of a list; none where nobody answers. */
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
