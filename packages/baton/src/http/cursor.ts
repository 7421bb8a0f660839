import * as z from 'zod';
import { Problem } from './problem.ts';

/** The place in a list that the next page begins after; opaque to callers. */
export interface Cursor<Position> {
  encode(position: Position | undefined): string | null;
  /** @throws Problem 400 when the text is no cursor of this list */
  decode(text: string | undefined): Position | undefined;
}

/** Makes the cursors of one list, whose positions are as `schema` says. */
export function cursorOf<Schema extends z.ZodType>(schema: Schema): Cursor<z.output<Schema>> {
  return {
    encode: (position) => (position ? Buffer.from(JSON.stringify(position)).toString('base64url') : null),
    decode: (text) => {
      if (text === undefined) return undefined;
      const parsed = schema.safeParse(parse(text));
      if (parsed.success) return parsed.data;
      throw new Problem('invalid-cursor', {
        detail:
          'The cursor is not one that this list gave; take nextCursor of the page before, or none for the first.',
      });
    },
  };
}

/** What every list takes: `limit`, 1 to 100 (default 20), and the `nextCursor` of the page before as `cursor`. */
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
