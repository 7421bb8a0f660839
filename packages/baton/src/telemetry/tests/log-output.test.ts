import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { LogOutput } from '../log-output.ts';
import { createLogger } from '../logger.ts';

const MIB = 1024 * 1024;
const RETRIED_BY_NOW_MS = 6000;

/** Stands in for the system's standard output: accepts some bytes, then fails with a chosen error. */
class Sink {
  writes = 0;
  room = Infinity;
  code = 'EAGAIN';
  readonly #written: Uint8Array[] = [];

  readonly write = (_fd: number, data: string | Uint8Array): number => {
    this.writes += 1;
    const all = typeof data === 'string' ? Buffer.from(data) : data;
    const bytes = Buffer.from(all.subarray(0, this.room));
    if (bytes.byteLength === 0) throw Object.assign(new Error(`${this.code}: write`), { code: this.code });
    this.room -= bytes.byteLength;
    this.#written.push(bytes);
    return bytes.byteLength;
  };

  get lines(): string[] {
    return Buffer.concat(this.#written).toString().trimEnd().split('\n');
  }
}

let sink: Sink;
let output: LogOutput;
beforeEach(() => {
  jest.useFakeTimers();
  sink = new Sink();
  output = new LogOutput({ fd: 1, service: 'tests', write: sink.write });
});
afterEach(() => void jest.useRealTimers());

const numbered = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, index) => `${from + index} é`);
const write = (lines: readonly string[]): void => lines.forEach((line) => output.write(`${line}\n`));
/** A log line with about this many bytes. */
const long = (bytes: number, level = 'info'): string => `{"level":"${level}","x":"${'x'.repeat(bytes)}"}`;
/** Writes this many lines of almost 1 MiB, which then wait. */
function fill(count: number): string[] {
  const lines = Array.from({ length: count }, (_, index) => `${index}${long(MIB - 100)}`);
  write(lines);
  return lines;
}
const dropped = (line: string | undefined): unknown =>
  (JSON.parse(line ?? '{}') as { droppedLines?: number }).droppedLines;

describe('a log output', () => {
  test('writes a line at once', () => {
    output.write('first\n');
    expect(sink.lines).toEqual(['first']);
    expect(output.state).toEqual({ waitingBytes: 0, droppedLines: 0, failure: null });
  });

  test.each(['EAGAIN', 'ENOSPC', 'EDQUOT', 'EIO', 'EFBIG', 'EPIPE', 'EBADF'])(
    'keeps lines whole and in order while writing fails with %s, and writes them once it works again',
    (code) => {
      sink.code = code;
      sink.room = 20;
      write(numbered(0, 2000));
      expect(output.state).toMatchObject({ droppedLines: 0, failure: code });
      sink.room = Infinity;
      jest.advanceTimersByTime(RETRIED_BY_NOW_MS);
      write(['last']);
      expect(sink.lines).toEqual([...numbered(0, 2000), 'last']);
      expect(output.state).toEqual({ waitingBytes: 0, droppedLines: 0, failure: null });
    },
  );

  test('continues in the middle of a line each time that only a part of it is written', () => {
    sink.room = 3;
    write(numbered(0, 30));
    for (let times = 0; times < 200; times += 1) {
      sink.room = 2;
      jest.advanceTimersByTime(RETRIED_BY_NOW_MS);
    }
    expect(sink.lines).toEqual(numbered(0, 30));
  });

  test('tries a stalled reader at most ten times a second, and a full disk once in 5 s', () => {
    sink.room = 0;
    write(numbered(0, 1000));
    jest.advanceTimersByTime(10_000);
    expect(sink.writes).toBeLessThan(110);
    sink.code = 'ENOSPC';
    sink.writes = 0;
    jest.advanceTimersByTime(60_000);
    expect(sink.writes).toBeLessThan(25);
  });

  test('is not blocked by a device that writes nothing and reports no error', () => {
    output = new LogOutput({ fd: 1, service: 'tests', write: () => 0 });
    output.write('line\n');
    expect(output.state.failure).toBe('EAGAIN');
  });

  test('drops the lines that do not fit into 7 MiB, and writes their number at the place of the gap', () => {
    sink.room = 0;
    const kept = fill(7);
    write([`${long(MIB)}\nlost with it`, 'lost as well']);
    expect(output.state.droppedLines).toBe(3);
    expect(output.state.waitingBytes).toBeLessThan(7 * MIB);
    sink.room = Infinity;
    jest.advanceTimersByTime(RETRIED_BY_NOW_MS);
    write(['after']);
    expect(sink.lines.slice(0, 7)).toEqual(kept);
    expect(sink.lines.slice(7)).toEqual([expect.any(String), 'after']);
    expect(JSON.parse(sink.lines[7] ?? '')).toMatchObject({
      level: 'error',
      service: 'tests',
      droppedLines: 3,
      message: expect.stringContaining('missing here') as unknown,
    });
  });

  test('keeps space for errors, up to 8 MiB, and writes the number of dropped lines before them', () => {
    sink.room = 0;
    fill(7);
    write([long(MIB), long(100), long(100, 'error'), long(100), long(100, 'fatal'), long(MIB, 'error')]);
    expect(output.state.droppedLines).toBe(4);
    sink.room = Infinity;
    jest.advanceTimersByTime(RETRIED_BY_NOW_MS);
    expect(sink.lines.slice(7).map((line) => dropped(line) ?? line)).toEqual([
      2,
      long(100, 'error'),
      1,
      long(100, 'fatal'),
      1,
    ]);
  });

  test('makes few gaps if its reader is slow: it accepts lines again once half of the space is free', () => {
    sink.room = 0;
    fill(7);
    for (let times = 0; times < 600; times += 1) {
      write([long(30_000), long(30_000)]);
      sink.room = 30_000;
      jest.advanceTimersByTime(100);
    }
    sink.room = Infinity;
    jest.advanceTimersByTime(RETRIED_BY_NOW_MS);
    const gaps = sink.lines.filter((line) => line.includes('droppedLines'));
    const missing = gaps.reduce((sum, line) => sum + Number(dropped(line)), 0);
    expect(missing).toBe(output.state.droppedLines);
    expect(missing).toBeGreaterThan(100);
    expect(gaps.length).toBeLessThan(10);
  });

  test('writes the waiting lines when the process ends, and waits for a reader only for the given time', () => {
    sink.room = 0;
    write(['last words']);
    jest.useRealTimers();
    const beganAtMs = Date.now();
    output.flush(100);
    expect(Date.now() - beganAtMs).toBeGreaterThanOrEqual(90);
    expect(Date.now() - beganAtMs).toBeLessThan(1000);
    sink.room = Infinity;
    output.flush(100);
    expect(sink.lines).toEqual(['last words']);
  });

  test('does not wait for a disk when the process ends', () => {
    sink.room = 0;
    sink.code = 'ENOSPC';
    write(['last words']);
    sink.writes = 0;
    output.flush(60_000);
    expect(sink.writes).toBe(1);
  });

  test('formats each line for a person if it has a formatter, also lines that waited', () => {
    const format = (line: string): string => `-- ${line}\n`;
    output = new LogOutput({ fd: 1, service: 'tests', format, write: sink.write });
    output.write('one\ntwo\n');
    sink.room = 0;
    write(['three', 'four']);
    sink.room = Infinity;
    jest.advanceTimersByTime(RETRIED_BY_NOW_MS);
    expect(sink.lines).toEqual(['-- one', '-- two', '-- three', '-- four']);
  });

  test('accepts lines from a logger, and never throws an error to it', () => {
    sink.room = 0;
    sink.code = 'EPIPE';
    const logger = createLogger({ service: 'tests', to: output });
    expect(() => logger.fatal('nobody reads this')).not.toThrow();
    expect(output.state).toMatchObject({ failure: 'EPIPE' });
  });
});
