import { randomUUID } from 'node:crypto';
import { describe } from '@jest/globals';
import { partFolders } from 'baton-dev/stack/part';
import type { Backends } from 'baton-dev/testing/backends';
import { EventSource } from 'baton-dev/testing/event-source';
import type { SQSBatchResponse } from 'aws-lambda';
import { BackendNetwork } from './backend-network.ts';
import type { Container } from './container.ts';
import { buildImage, Tree } from './image.ts';
import { LABEL_ARGS } from './labels.ts';
import { EmulatedFunction, missingForLambdaEmulator } from './lambda-emulator.ts';

const missing = await missingForLambdaEmulator();
if (missing !== undefined) {
  if (process.env['CI']) throw new Error(`AWS's Lambda runtime interface emulator needs ${missing}`);
  process.stdout.write(`Skipped: tests with AWS's Lambda runtime interface emulator need ${missing}\n`);
}
/** `describe`, skipped if AWS's Lambda runtime interface emulator cannot run. */
export const describeFunctions = missing === undefined ? describe : describe.skip;

/** The tag of a folder's function image. */
export function tagOf(folder: string): string {
  return `baton-img-lambda-${folder.replace('/', '-')}`;
}

/** Function images of folders, beside emulators of SQS and DynamoDB. */
export class FunctionImages {
  #network: BackendNetwork | undefined;
  readonly #containers: Container[] = [];

  /** SQS and DynamoDB of the functions. */
  get backends(): Backends {
    return this.#net.backends;
  }

  get #net(): BackendNetwork {
    if (!this.#network) throw new Error('no images are built; expected a call of build before');
    return this.#network;
  }

  /** Builds the images of folders, each where no other service is present, and starts the emulators. */
  async build(folders: readonly string[]): Promise<void> {
    this.#network = await BackendNetwork.start(partFolders());
    for (const folder of folders) {
      const tree = await Tree.copy(['common', folder]);
      try {
        await buildImage({
          folder,
          tag: tagOf(folder),
          target: 'lambda',
          context: tree.path,
          args: LABEL_ARGS,
        });
      } finally {
        await tree.remove();
      }
    }
  }

  /** Starts a function of a folder's image. Default: its API. */
  async start(
    folder: string,
    handler?: string,
    changes: Readonly<Record<string, string>> = {},
  ): Promise<EmulatedFunction> {
    const environment = { ...this.#net.environmentOf(folder), ...changes };
    const started = await EmulatedFunction.start(tagOf(folder), environment, this.#net.options, handler);
    this.keep(started.container);
    return started;
  }

  /** Adds a container to those that `stopAll` removes. */
  keep(container: Container): void {
    this.#containers.push(container);
  }

  /** An event source, as Lambda has, that invokes a function in a container. */
  sourceOf(queue: string, fn: EmulatedFunction): EventSource {
    return new EventSource(this.backends, queue, async (event) => {
      const answer = await fn.invoke(event);
      if (!('batchItemFailures' in answer)) throw new Error(JSON.stringify(answer));
      return answer as unknown as SQSBatchResponse;
    });
  }

  /** Removes the started containers. */
  async stopAll(): Promise<void> {
    await Promise.all(this.#containers.splice(0).map((container) => container.remove()));
  }

  /** Removes the containers and the emulators. */
  async remove(): Promise<void> {
    await this.stopAll();
    await this.#network?.stop();
  }
}

/** The event of a request to an HTTP API of API Gateway, in payload format 2.0. */
export function httpEvent(method: string, path: string, body?: unknown): Record<string, unknown> {
  return {
    version: '2.0',
    routeKey: `ANY ${path}`,
    rawPath: path,
    rawQueryString: '',
    headers: { 'content-type': 'application/json', host: 'abc123.execute-api.us-east-1.amazonaws.com' },
    requestContext: {
      accountId: '000000000000',
      apiId: 'abc123',
      domainName: 'abc123.execute-api.us-east-1.amazonaws.com',
      domainPrefix: 'abc123',
      http: { method, path, protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'tests' },
      requestId: randomUUID(),
      routeKey: `ANY ${path}`,
      stage: '$default',
      time: '24/Nov/2026:00:00:00 +0000',
      timeEpoch: 1_795_478_400_000,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    isBase64Encoded: false,
  };
}
