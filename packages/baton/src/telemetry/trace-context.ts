// Trace contexts and their `traceparent` header (W3C Trace Context, level 1).
import { randomBytes } from 'node:crypto';

/** Versions after 00 may add members after these four. The four are read nevertheless (W3C, section 4.4). */
const TRACEPARENT =
  /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/;
const SAMPLED = 1;
const LENGTH = 55;

/** The place of a piece of work in a trace (W3C Trace Context, level 1). */
export interface TraceContext {
  /** 32 hexadecimal digits, the same for everything that one request caused. */
  readonly traceId: string;
  /** 16 hexadecimal digits that identify this piece of work. */
  readonly spanId: string;
  /** Two hexadecimal digits; the lowest bit says that the trace is recorded. */
  readonly flags: string;
}

/** Whether a value is a trace context that fits into a `traceparent` header. */
export function isTraceContext(value: unknown): value is TraceContext {
  if (typeof value !== 'object' || value === null) return false;
  const { traceId, spanId, flags } = value as TraceContext;
  const header = formatTraceparent({ traceId, spanId, flags });
  return header.length === LENGTH && TRACEPARENT.test(header);
}

/** Starts a new trace. */
export function startTrace(): TraceContext {
  return { traceId: hex(16), spanId: hex(8), flags: '01' };
}

/** The trace context of a piece of work that `parent` caused: the same trace, a new span. */
export function childOf(parent: TraceContext): TraceContext {
  return { ...parent, spanId: hex(8) };
}

/**
 * Reads a `traceparent` header. Returns `undefined` if it is missing or broken: a bad header must not break a request, and
 * the W3C document says to start a new trace then.
 */
export function parseTraceparent(header: string | undefined): TraceContext | undefined {
  const text = header?.trim() ?? '';
  const [, version, traceId, spanId, flags] = TRACEPARENT.exec(text) ?? [];
  if (!traceId || !spanId || (version === '00' && text.length !== LENGTH)) return undefined;
  return { traceId, spanId, flags: Number.parseInt(flags ?? '', 16) & SAMPLED ? '01' : '00' };
}

/** The `traceparent` header of a trace context. */
export function formatTraceparent({ traceId, spanId, flags }: TraceContext): string {
  return `00-${traceId}-${spanId}-${flags}`;
}

function hex(bytes: number): string {
  return randomBytes(bytes).toString('hex');
}
