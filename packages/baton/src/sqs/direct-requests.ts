// Bypasses the SDK's middleware for the requests of a client of SQS.
import type { SQSClient } from '@aws-sdk/client-sqs';
import type { HttpRequest, HttpResponse } from '@smithy/core/protocols';
import { operation } from '@smithy/core/schema';
import { toEndpointV1 } from '@smithy/core/transport';
import { checkSqsAnswer, readError } from '../aws/answers.ts';
import {
  type ClientProtocol,
  type EndpointBearer,
  type HandlerExecutionContext,
  type OperationSchema,
  type RequestSigner,
  type SerdeFunctions,
  SMITHY_CONTEXT_KEY,
  type StaticOperationSchema,
} from '@smithy/types';

/** The common part of a client's requests, as the SDK's middleware found it out. */
interface Route {
  /** The headers that are signed. */
  readonly headers: Readonly<Record<string, string>>;
  readonly signer: RequestSigner;
  readonly context: HandlerExecutionContext & SerdeFunctions & EndpointBearer;
}

/**
 * Makes a client send its requests with the SDK's own parts: protocol, signer, HTTP handler, protocol. That bypasses some
 * fifteen middlewares, which copy the client's settings four times for each request and cost as much as the parts. The
 * middlewares still make the first request, which finds out the route of all, and the next one after each failure, because
 * they handle causes such as a wrong clock.
 *
 * Only for clients that do not retry, because the middlewares do that.
 */
export function requestDirectly({ config, middlewareStack }: SQSClient, userAgent: string): void {
  const protocol = config.protocol as ClientProtocol<HttpRequest, HttpResponse>;
  let route: Route | undefined;

  middlewareStack.add(
    (next, context) => {
      const schema = schemaOf(context);
      const abortSignal = context[SMITHY_CONTEXT_KEY]?.abortSignal as AbortSignal | undefined;
      const request = async (input: object, { headers, signer, context: serde }: Route) => {
        const unsigned = await protocol.serializeRequest(schema, input, serde);
        Object.assign(unsigned.headers, headers);
        const signingDate = new Date(Date.now() + config.systemClockOffset);
        const signed = (await signer.sign(unsigned, { signingDate })) as HttpRequest;
        try {
          const { response } = await config.requestHandler.handle(signed, abortSignal && { abortSignal });
          const output = await protocol.deserializeResponse(schema, serde, response);
          checkSqsAnswer(schema.name, output);
          return { response, output: output as never };
        } catch (error) {
          throw readError(error, schema.name);
        }
      };
      return async (args) => {
        if (!route) return next(args);
        try {
          return await request(args.input, route);
        } catch (error) {
          route = undefined;
          throw error;
        }
      };
    },
    // After the clock watch, which reads every answer
    { name: 'directRequestMiddleware', step: 'initialize' },
  );

  middlewareStack.add(
    (next, context) => async (args) => {
      const answer = await next(args);
      route = await routeOf(context);
      return answer;
    },
    { name: 'routeMiddleware', step: 'finalizeRequest', priority: 'high' },
  );

  async function routeOf({ endpointV2, authSchemes }: HandlerExecutionContext): Promise<Route | undefined> {
    if (!endpointV2) return undefined;
    const endpoint = toEndpointV1(endpointV2);
    return {
      headers: { host: endpointV2.url.host, 'user-agent': userAgent },
      signer: await config.signer(authSchemes?.[0]),
      context: { ...config, endpoint: async () => endpoint },
    };
  }
}

/** The schema of a request and its answer. */
function schemaOf(context: HandlerExecutionContext): OperationSchema {
  const schema = context[SMITHY_CONTEXT_KEY]?.['operationSchema'] as StaticOperationSchema;
  const [, namespace, name, traits, input, output] = schema;
  return operation(namespace, name, traits, input, output);
}
