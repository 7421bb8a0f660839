import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Fault } from './history.ts';
import { ModelLine } from './model-line.ts';
import { withRightTime } from './right-time.ts';
import type { TableCommand } from './model-table.ts';
import type { ModelWorld } from './model-world.ts';

/** One process's client of the model table. */
export class TableClient {
  readonly #world: ModelWorld;
  readonly #line: ModelLine;

  constructor(world: ModelWorld, timeoutMs: number) {
    this.#world = world;
    this.#line = new ModelLine(world, timeoutMs);
  }

  /** A stand-in for an SDK client. */
  get client(): DynamoDBDocumentClient {
    const { nextFault, storeAnswers } = this.#world;
    const send = (command: TableCommand): Promise<object> => {
      const fault = nextFault();
      return this.#line.request((met) => this.#carryOut(command, met), storeAnswers() ? fault : 'refused');
    };
    return withRightTime({ send, destroy: () => undefined } as unknown as DynamoDBDocumentClient);
  }

  /** Cuts the connection because the process has crashed. */
  cut(): void {
    this.#line.cut();
  }

  /** Pauses the process until a point in time. */
  pauseUntil(untilMs: number): void {
    this.#line.pauseUntil(untilMs);
  }

  async #carryOut(command: TableCommand, fault: Fault): Promise<object> {
    if (fault === 'failed entries') throw new Error('InternalServerError');
    // As the SDK retries after a lost response: the caller sees only the second response
    if (fault === 'twice') await attempt(() => this.#world.table.execute(command));
    return this.#world.table.execute(command);
  }
}

async function attempt(call: () => object): Promise<void> {
  try {
    call();
  } catch {
    // The second call will be refused too
  }
}
