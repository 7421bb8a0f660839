// The file that describes the stack in an image.
import { readFileSync } from 'node:fs';
import { ConfigError } from 'baton-tasks/service';
import type { DescribedStack } from '../stack/described-stack.ts';

/** The stack in an image's file. It is written when the image is built, because the image has no contracts. */
export interface StackFile extends Pick<DescribedStack, 'functions' | 'resources'> {
  readonly stage: string;
}

/** Reads the file that `describe-stack.ts` has written. @throws ConfigError if it cannot be read */
export function readStackFile(path: string): StackFile {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as StackFile;
  } catch (cause) {
    throw new ConfigError(`STACK_FILE cannot be read: ${(cause as Error).message}`, { cause });
  }
}
