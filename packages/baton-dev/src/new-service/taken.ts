// Checks that the name and port of a new service are free.
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readStack } from '../stack/described-stack.ts';
import { stagePrefixOf } from '../stack/names.ts';
import { NewServiceError, type ServiceName } from './service-name.ts';

const STAGE = 'dev';

/**
 * Checks that a name is free: no folder, contract, route, queue or table has it, and no file of the template uses it as a
 * word.
 *
 * @param root - of the repository
 * @param words - of the files that the service is made of
 * @throws NewServiceError that says what has the name
 */
export async function refuseTaken(
  root: string,
  { plural, singular }: ServiceName,
  words: ReadonlySet<string>,
): Promise<void> {
  const is = (what: string): never => {
    throw new NewServiceError(`${plural} cannot be the name of a service: ${what}; expected another name`);
  };
  for (const path of [
    `functions/${plural}-service`,
    `functions/${singular}-service`,
    `common/contracts/${plural}.ts`,
  ])
    if (existsSync(join(root, path))) is(`${path} exists already`);
  const contract = (await readdir(join(root, 'common/contracts/released'))).find((file) =>
    file.startsWith(`${plural}.`),
  );
  if (contract !== undefined) is(`the contract ${contract.replace(/\.json$/, '')} exists already`);
  const { functions, resources } = await readStack(STAGE);
  for (const [name, { events = [] }] of Object.entries(functions))
    for (const { httpApi } of events)
      if (String(httpApi).endsWith(` /${plural}`)) is(`the path /${plural} leads to the function ${name}`);
  for (const [id, { Type, Properties }] of Object.entries(resources))
    if ([Properties['QueueName'], Properties['TableName']].includes(stagePrefixOf(STAGE) + plural))
      is(`the resource ${id} (${Type}) has that name`);
  const word = [plural, singular].find((each) => words.has(each));
  if (word !== undefined) is(`"${word}" means something else in the code of a service`);
}

/** The words of texts. `oneWord` counts as two. */
export function wordsOf(texts: readonly string[]): Set<string> {
  const words = texts.flatMap((text) => text.match(/[A-Z]?[a-z]+\d*/g) ?? []);
  return new Set(words.map((word) => word.toLowerCase()).filter((word) => !/^samples?$/.test(word)));
}

/** A free default port: the one after the highest default port of all services. */
export async function nextPort(root: string): Promise<number> {
  const configs = (await readdir(join(root, 'functions')))
    .map((service) => join(root, 'functions', service, 'service.ts'))
    .filter((path) => existsSync(path));
  const texts = await Promise.all(configs.map((path) => readFile(path, 'utf8')));
  const ports = texts.flatMap((text) => /\bport: (\d+)/.exec(text)?.[1] ?? []).map(Number);
  return Math.max(8000, ...ports) + 1;
}
