// The cursors of lists that are read page by page.
import * as z from 'zod';
import { bytesOfAnswer, MAX_ANSWER_BYTES } from './answer-size.ts';
import { Problem } from './problem.ts';

/** A page leaves room for what else a list answers. */
const MAX_PAGE_BYTES = MAX_ANSWER_BYTES - 100_000;

/** Encodes the places of one list, after which its pages start, as texts that are opaque to callers. */
export interface Cursor<Position> {
  encode(position: Position | undefined): string | null;
  /** @throws Problem 400 if the text is not a cursor of this list */
  decode(text: string | undefined): Position | undefined;
  /**
   * Makes a page of rows. It ends early, with a cursor that goes on there, if the rest would make the answer larger than a
   * function's may be (6 MB). It has at least one row.
   *
   * @param next - the place where the page after all these rows starts; undefined if there is none
   * @param view - what callers see of a row
   */
  page<Row extends Position, View>(
    rows: readonly Row[],
    next: Position | undefined,
    view: (row: Row) => View,
  ): Page<View>;
}

/** A page of a list, and the cursor of the next one: null on the last page. */
export interface Page<View> {
  readonly items: View[];
  readonly nextCursor: string | null;
}

/** Makes the cursors of a list. @param schema - the schema of its places, whose members its rows have */
export function cursorOf<Schema extends z.ZodObject>(schema: Schema): Cursor<z.output<Schema>> {
  const encode = (position: z.output<Schema> | undefined): string | null =>
    position ? Buffer.from(JSON.stringify(position)).toString('base64url') : null;
  const positionOf = (row: z.output<Schema>) => schema.strip().parse(row) as z.output<Schema>;
  return {
    encode,
    decode: (text) => {
      if (text === undefined) return undefined;
      const parsed = schema.safeParse(parse(text));
      if (parsed.success) return parsed.data;
      throw new Problem('invalid-cursor', {
        detail:
          'The cursor is not one of this list; expected nextCursor of the page before, or no cursor for the first page.',
      });
    },
    page: (rows, next, view) => {
      const views = rows.map(view);
      let bytes = 0;
      const fitting = views.findIndex((each) => {
        bytes += bytesOfAnswer(JSON.stringify(each));
        return bytes > MAX_PAGE_BYTES;
      });
      if (fitting < 0) return { items: views, nextCursor: encode(next) };
      const items = views.slice(0, Math.max(1, fitting));
      const last = rows[items.length - 1];
      const more = items.length < rows.length;
      return { items, nextCursor: encode(more && last ? positionOf(last) : next) };
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
