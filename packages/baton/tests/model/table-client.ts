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

  /** In the place of an SDK client. */
  get client(): DynamoDBDocumentClient {
    const { nextFault, storeAnswers } = this.#world;
    const send = (command: TableCommand): Promise<object> => {
      const fault = nextFault();
      return this.#line.request((met) => this.#carryOut(command, met), storeAnswers() ? fault : 'refused');
    };
    return withRightTime({ send, destroy: () => undefined } as unknown as DynamoDBDocumentClient);
  }

  /** The process is no more. */
  cut(): void {
    this.#line.cut();
  }

  /** The process stands still until then. */
  pauseUntil(untilMs: number): void {
    this.#line.pauseUntil(untilMs);
  }

  async #carryOut(command: TableCommand, fault: Fault): Promise<object> {
    if (fault === 'failed entries') throw new Error('InternalServerError');
    // As the SDK does after an answer that was lost: what it then learns is what the second one says
    if (fault === 'twice') await attempt(() => this.#world.table.execute(command));
    return this.#world.table.execute(command);
  }
}

async function attempt(call: () => object): Promise<void> {
  try {
    call();
  } catch {
    // Refused the first time: the second will say so
  }
}
