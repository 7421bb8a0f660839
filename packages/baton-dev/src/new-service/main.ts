// Makes a new service: npm run new:service payments
import { spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { ALL_CONTRACTS } from '../stack/contracts.ts';
import { ROOT } from '../stack/root.ts';
import { print, printError } from '../terminal/print.ts';
import { withComposeEntry, withContracts, withPort } from './listed.ts';
import { NewServiceError, readServiceName, type ServiceName } from './service-name.ts';
import { nextPort, refuseTaken, wordsOf } from './taken.ts';
import { formatted, type NewFile, newFiles, templateTexts } from './template.ts';
import { writeNew } from './write-files.ts';

const COMPOSE = 'docker-compose.localstack.yml';
const ENVIRONMENT = '.env.example';
const USAGE = `npm run new:service NAME [-- --singular WORD]: makes a service that works, to be edited
  NAME        what it keeps, in the plural: payments
  --singular  one of them, where it is not NAME without its s: payment
`;

/** The files that list services and contracts, changed. */
async function lists(name: ServiceName, port: number, files: readonly NewFile[]): Promise<NewFile[]> {
  const [compose, environment, all] = await Promise.all(
    [COMPOSE, ENVIRONMENT, ALL_CONTRACTS].map((path) => readFile(join(ROOT, path), 'utf8')),
  );
  const file = `${name.plural}.ts`;
  const contracts = files.find(({ path }) => path === `common/contracts/${file}`)?.text ?? '';
  return [
    { path: COMPOSE, text: withComposeEntry(compose ?? '', name, port) },
    await formatted(ROOT, { path: ALL_CONTRACTS, text: withContracts(all ?? '', file, contracts) }),
    { path: ENVIRONMENT, text: withPort(environment ?? '', name, port) },
  ];
}

/** Runs npm. @throws NewServiceError that says what is left to do, if it fails */
function npm(...words: string[]): void {
  const { status } = spawnSync('npm', words, {
    cwd: ROOT,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (status !== 0)
    throw new NewServiceError(
      `The files are written, but "npm ${words.join(' ')}" failed: run "npm install", then "npm run contracts"`,
    );
}

async function run(): Promise<void> {
  const options = { singular: { type: 'string' }, help: { type: 'boolean' } } as const;
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const [plural, ...more] = positionals;
  if (values.help) {
    print(USAGE);
    return;
  }
  if (plural === undefined || more.length > 0)
    throw new NewServiceError(`Expected one name, got ${positionals.length}\n${USAGE}`);
  const name = readServiceName(plural, values.singular);
  await refuseTaken(ROOT, name, wordsOf(await templateTexts()));
  const port = await nextPort(ROOT);
  const files = await newFiles(ROOT, name, port);
  const changed = await lists(name, port, files);
  await writeNew(ROOT, files);
  for (const { path, text } of changed) await writeFile(join(ROOT, path), text);
  npm('install', '--no-audit', '--prefer-offline', '--loglevel=error');
  npm('run', '--silent', 'contracts');
  print(
    `${files.map(({ path }) => path).join('\n')}\nnpm start serves POST /${plural} and GET /${plural}/{${name.singular}Id}.\n`,
  );
}

try {
  await run();
} catch (error) {
  const isOfArguments = String((error as NodeJS.ErrnoException).code).startsWith('ERR_PARSE_ARGS');
  if (!(error instanceof NewServiceError) && !isOfArguments) throw error;
  printError(`${(error as Error).message.trim()}\n${isOfArguments ? USAGE : ''}`);
  process.exitCode = 1;
}
