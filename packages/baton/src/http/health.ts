// The health of a process over HTTP.
import type { Logger } from '../telemetry/logger.ts';
import { within } from '../time/within.ts';
import type { HttpResponse } from './http-message.ts';

const TIMEOUT_MS = 3000;
/** Many callers who ask at the same time cost one check. */
const KEPT_MS = 1000;

/** Resolves if something works. Rejects with what is wrong, for the log. */
export type Check = () => Promise<unknown>;

/** Describes a process's health. */
export interface HealthOptions {
  /**
   * Whether the process can do its work: a check, or the checks of what it depends on, each under a short word such as
   * `store`. `/health/ready` shows the words that failed. Only the log has the errors.
   */
  readonly ready: Check | Readonly<Record<string, Check>>;
  /** Rejects if only a new process can help. Default: never rejects. */
  readonly live?: Check;
  /** The answer of `/health/state`. Without it, the route is missing. */
  readonly state?: () => object;
  readonly logger: Logger;
}

/**
 * Answers `/health/live` (the process runs), `/health/ready` (it can do its work) and `/health/state`. Strangers may read
 * the first two: they hold no errors, names or addresses.
 */
export class Health {
  readonly #routes: ReadonlyMap<string, () => Promise<HttpResponse>>;

  constructor({ ready, live = async () => undefined, state, logger }: HealthOptions) {
    const isReady = new KeptCheck('ready', typeof ready === 'function' ? { '': ready } : ready, logger);
    const isLive = new KeptCheck('live', { '': live }, logger);
    this.#routes = new Map([
      ['/health/live', () => isLive.answer()],
      ['/health/ready', () => isReady.answer()],
      ...(state ? [['/health/state', async () => answerOf(200, state())] as const] : []),
    ]);
  }

  /** The answer of a path. Undefined if it is none of health. */
  answer(path: string | undefined): Promise<HttpResponse> | undefined {
    return this.#routes.get(path ?? '')?.();
  }
}

/** Checks that run at most once a second, however many callers ask. */
class KeptCheck {
  readonly #status: string;
  readonly #checks: Readonly<Record<string, Check>>;
  readonly #logger: Logger;
  #kept: Promise<readonly string[]> | undefined;
  #known = '[]';

  constructor(status: string, checks: Readonly<Record<string, Check>>, logger: Logger) {
    this.#status = status;
    this.#checks = checks;
    this.#logger = logger;
  }

  async answer(): Promise<HttpResponse> {
    this.#kept ??= this.#run().finally(() => setTimeout(() => (this.#kept = undefined), KEPT_MS).unref());
    const failed = await this.#kept;
    if (failed.length === 0) return answerOf(200, { status: this.#status });
    const dependencies = failed.filter((word) => word !== '');
    return answerOf(503, { status: 'unavailable', ...(dependencies.length > 0 && { dependencies }) });
  }

  /** Resolves to the words of the checks that fail. Logs them if they are others than before. */
  async #run(): Promise<readonly string[]> {
    const results = await Promise.all(
      Object.entries(this.#checks).map(async ([word, check]) => ({ word, error: await errorOf(check) })),
    );
    const failed = results.filter(({ error }) => error !== undefined);
    const known = JSON.stringify(failed.map(({ word }) => word));
    if (known !== this.#known) {
      for (const { word, error } of failed)
        this.#logger.warn({ ...(word && { dependency: word }), error }, `not ${this.#status}`);
      if (failed.length === 0) this.#logger.info(`${this.#status} again`);
    }
    this.#known = known;
    return failed.map(({ word }) => word);
  }
}

async function errorOf(check: Check): Promise<unknown> {
  const late = (): never => {
    throw new Error(`No answer within ${TIMEOUT_MS} ms`);
  };
  try {
    await within(TIMEOUT_MS, check(), late);
    return undefined;
  } catch (error) {
    return error ?? new Error('The check failed without an error');
  }
}

function answerOf(statusCode: number, body: object): HttpResponse {
  return { statusCode, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}
