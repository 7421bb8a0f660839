declare module 'dynalite' {
  import type { Server } from 'node:http';

  /** Makes an HTTP server that speaks DynamoDB's protocol; tables are in memory unless a path is given. */
  export default function dynalite(options?: {
    readonly createTableMs?: number;
    readonly path?: string;
  }): Server;
}
