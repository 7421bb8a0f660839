import { randomBytes } from 'node:crypto';

/** A later version than 00 may have more behind these four members; what is known of it is read (W3C, 4.4). */
const TRACEPARENT =
  /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/;
const SAMPLED = 1;
const LENGTH = 55;

/** Where a piece of work stands in a trace (W3C Trace Context, level 1). */
export interface TraceContext {
  /** 32 hexadecimal digits, the same for all that one request caused. */
  readonly traceId: string;
  /** 16 hexadecimal digits, this piece of work's own. */
  readonly spanId: string;
  /** Two hexadecimal digits; the lowest bit says that the trace is recorded. */
  readonly flags: string;
}

/** Whether a value is a trace context that a `traceparent` header can carry. */
export function isTraceContext(value: unknown): value is TraceContext {
  if (typeof value !== 'object' || value === null) return false;
  const { traceId, spanId, flags } = value as TraceContext;
  const header = formatTraceparent({ traceId, spanId, flags });
  return header.length === LENGTH && TRACEPARENT.test(header);
}

/** Begins a trace of its own. */
export function startTrace(): TraceContext {
  return { traceId: hex(16), spanId: hex(8), flags: '01' };
}

/** A piece of work that `parent` caused: the same trace, a span of its own. */
export function childOf(parent: TraceContext): TraceContext {
  return { ...parent, spanId: hex(8) };
}

/**
 * Reads a `traceparent` header. What is missing or broken gives `undefined`: a bad header from outside must never
 * break a request, the W3C document says to start anew.
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
