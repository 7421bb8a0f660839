// The cursors of lists that are read page by page.
import * as z from 'zod';
import { Problem } from './problem.ts';

/** Encodes the places of one list, after which its pages start, as texts that are opaque to callers. */
export interface Cursor<Position> {
  encode(position: Position | undefined): string | null;
  /** @throws Problem 400 if the text is not a cursor of this list */
  decode(text: string | undefined): Position | undefined;
}

/** Makes the cursors of a list. @param schema - the schema of its places */
export function cursorOf<Schema extends z.ZodType>(schema: Schema): Cursor<z.output<Schema>> {
  return {
    encode: (position) => (position ? Buffer.from(JSON.stringify(position)).toString('base64url') : null),
    decode: (text) => {
      if (text === undefined) return undefined;
      const parsed = schema.safeParse(parse(text));
      if (parsed.success) return parsed.data;
      throw new Problem('invalid-cursor', {
        detail:
          'The cursor is not one of this list; expected nextCursor of the page before, or no cursor for the first page.',
      });
    },
  };
}

/** The query of every list: `limit`, 1 to 100 (default 20), and `cursor`, the `nextCursor` of the page before. */
export const pageQuery = {
  limit: z
    .string()
    .regex(/^\d{1,3}$/, 'expected a whole number from 1 to 100')
    .transform(Number)
    .refine((limit) => limit >= 1 && limit <= 100, 'expected a whole number from 1 to 100')
    .default(20),
  cursor: z.string().max(2048).optional(),
};

function parse(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString());
  } catch {
    return undefined;
  }
}
