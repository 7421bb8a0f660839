import { spawnSync } from 'node:child_process';
import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { filesToCheck } from '../files.ts';
import { checkNode } from '../node-build.ts';
import { checkByNpm, checkLockByNpm } from '../npm-checks.ts';
import { checkSecrets } from '../secrets.ts';

const ARCHIVE = 'node-v24.0.0-linux-x64.tar.xz';
const build = { version: '24.0.0', platform: 'linux-x64' };

let folder: string;
let server: Server;
let origin: string;
let checksums: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'baton-supply-chain-'));
  const program = join(folder, ARCHIVE.replace('.tar.xz', ''), 'bin/node');
  mkdirSync(join(program, '..'), { recursive: true });
  writeFileSync(program, 'the program of nodejs.org');
  spawnSync('tar', ['-cJf', ARCHIVE, ARCHIVE.replace('.tar.xz', '')], { cwd: folder });
  cpSync(program, join(folder, 'same'));
  writeFileSync(join(folder, 'other'), 'another program');
  const bytes = readFileSync(join(folder, ARCHIVE));
  server = createServer((request, response) => {
    const answer = { SHASUMS: checksums, [ARCHIVE]: bytes };
    response.end(request.url?.endsWith(ARCHIVE) ? answer[ARCHIVE] : answer.SHASUMS);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  checksums = `${createHash('sha256').update(bytes).digest('hex')}  ${ARCHIVE}\n`;
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
  rmSync(folder, { recursive: true });
});

describe('an installed Node', () => {
  test('passes if nodejs.org publishes the same', async () => {
    const result = await checkNode({ ...build, program: join(folder, 'same') }, origin);
    expect(result).toMatchObject({ state: 'passed', name: 'Node 24.0.0 for linux-x64' });
  });

  test('fails if it differs from what nodejs.org publishes', async () => {
    const result = await checkNode({ ...build, program: join(folder, 'other') }, origin);
    expect(result).toMatchObject({ state: 'failed', detail: expect.stringContaining('differs') });
  });

  test('fails if the archive does not have its published checksum', async () => {
    const right = checksums;
    checksums = `${'0'.repeat(64)}  ${ARCHIVE}\n`;
    const result = await checkNode({ ...build, program: join(folder, 'same') }, origin);
    checksums = right;
    expect(result).toMatchObject({ state: 'failed', detail: expect.stringContaining('checksum') });
  });

  test('is skipped with the reason if nodejs.org cannot be reached', async () => {
    const away = await checkNode({ ...build, program: join(folder, 'same') }, 'http://127.0.0.1:1');
    expect(away).toMatchObject({ state: 'skipped', detail: expect.stringContaining('cannot be reached') });
  });
});

describe('a check by npm', () => {
  const npmThat = (lines: string): string => {
    const program = join(folder, 'npm');
    writeFileSync(program, `#!/bin/sh\n${lines}\n`);
    chmodSync(program, 0o755);
    return program;
  };

  test.each([
    ['passes if npm finds nothing', 'echo "found 0 vulnerabilities"', 'passed', 'found 0 vulnerabilities'],
    [
      'fails if npm finds something',
      'echo "1 critical severity vulnerability"; exit 1',
      'failed',
      '1 critical',
    ],
    [
      'fails if npm finds something in a package whose name is like a code',
      'echo "node404 <2.0.0 Severity: critical, E404, ENOTFOUND"; exit 1',
      'failed',
      'node404',
    ],
    [
      'fails if npm finds something and warns of such a package',
      'echo "1 critical"; echo "npm warn node404 is old" >&2; exit 1',
      'failed',
      '1 critical',
    ],
    [
      'is skipped if the registry has no such answer',
      'echo "audit endpoint returned an error" >&2; exit 1',
      'skipped',
      '',
    ],
    [
      'is skipped if the registry cannot be reached',
      'echo "npm error code ENOTFOUND" >&2; exit 1',
      'skipped',
      '',
    ],
    [
      'is skipped if the registry has no such answer, although npm run is silent',
      'case "$*" in *--loglevel=warn*) echo "audit endpoint returned an error" >&2 ;; esac; exit 1',
      'skipped',
      '',
    ],
  ])('%s', async (_what, lines, state, detail) => {
    const result = await checkByNpm('it', ['audit'], folder, npmThat(lines));
    expect(result).toMatchObject({ state, detail: expect.stringContaining(detail) });
  });

  describe('of a lock that is installed nowhere', () => {
    const project = (): string => {
      const own = mkdtempSync(join(folder, 'project-'));
      for (const name of ['package.json', 'package-lock.json']) writeFileSync(join(own, name), '{}');
      return own;
    };

    test('installs it without its scripts, in a copy, and asks the same questions', async () => {
      const asked = join(folder, 'asked');
      const own = project();
      const results = await checkLockByNpm(
        'it',
        own,
        npmThat(`ls > files; echo "$@" >> ${asked}; cat files`),
      );
      expect(results.map(({ name, state }) => `${state} ${name}`)).toEqual([
        'passed checksums of it',
        'passed known vulnerabilities of it',
        'passed signatures of packages of it',
      ]);
      expect(readFileSync(asked, 'utf8').split('\n')).toEqual([
        expect.stringMatching(/^ci --ignore-scripts /),
        expect.stringMatching(/^audit --omit=dev /),
        expect.stringMatching(/^audit signatures /),
        '',
      ]);
      expect(readdirSync(own)).toEqual(['package-lock.json', 'package.json']);
    });

    test.each([
      ['failed', 'EINTEGRITY'],
      ['skipped', 'ENOTFOUND'],
    ])('is %s if the install ends with %s, and asks no more', async (state, code) => {
      const npm = npmThat(`echo "npm error code ${code}" >&2; exit 1`);
      await expect(checkLockByNpm('it', project(), npm)).resolves.toMatchObject([{ state }]);
    });
  });
});

const SECRET = `${['https://mailer', 'hunter22@mail.shop.test'].join(':')}\n`;
const NPM = `//registry.shop.test/:_authToken=${['3b1c2d4e', '0f1a', '4b2c', '8d3e', '5f60718293a4'].join('-')}\n`;
/** A check that takes the name away once leaves a comment that works. */
const NESTED = 'secretlint-secretlint';

describe('a secret in a file', () => {
  test.each([
    ['of AWS', ['aws_secret', 'access_key = "wJalrXUtnFEMIK7MDENGbPxRfiCYzzzzzzzzzzzz"'].join('_')],
    ['of Slack', ['xoxb', '123456789012', '1234567890123', 'abcdefghijABCDEFGHIJabcd'].join('-')],
    ['that is a private key', privateKey()],
    ['in a URL', ['https://mailer', 'hunter22@mail.shop.test'].join(':')],
    ['in a URL of SMTP', ['SMTP_URL=smtp://mailer', 'hunter22@mail.shop.test:587'].join(':')],
    ['in a URL of SMTP with TLS', ['SMTP_URL=SMTPS://mailer@shop.test', 'h+n=%22@[::1]'].join(':')],
    ['in a URL without a user', ['redis://', 'hunter22@cache'].join(':')],
    ['that begins as an allowed password', ['smtp://mailer', 'secret22@mail.shop.test'].join(':')],
    ['that signs tasks', `TASK_SIGNING_KEYS=${signingKey(32, 'k1')}`],
    ['that signs tasks, after another', `x: 'k1:,${signingKey(32, 'k.2')}'`],
    ['that signs tasks, of another length', `"TASK_SIGNING_KEYS": "${signingKey(48, 'k1')}"`],
  ])('%s is found', (_what, text) => {
    writeFileSync(join(folder, 'settings.txt'), text);
    const result = checkSecrets(['settings.txt'], folder);
    expect(result).toMatchObject({ state: 'failed', detail: expect.stringContaining('settings.txt') });
  });

  test('of Baton is named by its line, and not shown', () => {
    const key = signingKey(32, 'k1');
    const url = ['smtp://mailer', 'hunter22@mail.shop.test'].join(':');
    writeFileSync(join(folder, 'settings.txt'), `#\nSMTP_URL=${url}\nTASK_SIGNING_KEYS=${key}\n`);
    const file = join(folder, 'settings.txt');
    expect(checkSecrets(['settings.txt'], folder)).toMatchObject({
      detail: `${file}:2: a password in a URL\n${file}:3: a key of TASK_SIGNING_KEYS`,
    });
  });

  test.each<[string, Record<string, string | Buffer>]>([
    ['beside a file that is called like an option', { 'a.env': SECRET, '--version': '' }],
    [
      'beside a file that names a list of ignored files',
      { 'a.env': SECRET, '--secretlintignore=b': '', b: '*' },
    ],
    ['in a file that a list ignores', { 'a.env': SECRET, '.secretlintignore': '*' }],
    ['after a comment that ends the check', { 'a.env': `# secretlint-disable\n${SECRET}` }],
    ['after such a comment in a word of another', { 'a.env': `# ${NESTED}-disable\n${SECRET}` }],
    ['on the line of such a comment', { 'a.env': `${SECRET.trim()} # ${NESTED}-disable-line` }],
    ['after a comment for the next line', { 'a.env': `# ${NESTED}-disable-next-line\n${SECRET}` }],
    [
      'in a file whose name has a meaning, after such a comment',
      { 'a.env/.npmrc': `# secretlint-disable\n${NPM}` },
    ],
    ['in UTF-16', { 'a.env': Buffer.from(`\uFEFF${SECRET}`, 'utf16le') }],
    ['of signatures in UTF-16', { 'a.env': Buffer.from(signingKey(32, 'k1'), 'utf16le') }],
    ['after a NUL', { 'a.env': `\0${SECRET}` }],
    ['in a file that is called like an image', { 'a.env.png': SECRET }],
    ['in a folder that is called node_modules', { 'node_modules/a.env': SECRET }],
  ])('is found %s', (_what, files) => {
    const own = mkdtempSync(join(folder, 'files-'));
    for (const [file, content] of Object.entries(files)) {
      mkdirSync(join(own, file, '..'), { recursive: true });
      writeFileSync(join(own, file), content);
    }
    const result = checkSecrets(Object.keys(files), own);
    expect(result).toMatchObject({ state: 'failed', detail: expect.stringContaining('a.env') });
  });

  test.each([
    'SMTP_URL=smtp://127.0.0.1:1025',
    'smtp://user:password@mail.example.com:587, https://me:secret@example.com',
    'f"sqs://{key}:{secret}@{host}"',
    'https://example.com/a:b@c',
    'TASK_SIGNING_KEYS=k1:',
    `sha256:${'0a'.repeat(32)}`,
  ])('is not seen in %j', (text) => {
    writeFileSync(join(folder, 'settings.txt'), text);
    expect(checkSecrets(['settings.txt'], folder)).toMatchObject({ state: 'passed' });
  });
});

describe('the files in which secrets are looked for', () => {
  const git = (cwd: string, ...args: string[]): void => {
    const { status, stderr } = spawnSync('git', args, { cwd, encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
  };
  const folderWith = (...files: string[]): string => {
    const own = mkdtempSync(join(folder, 'repository-'));
    for (const file of files) {
      mkdirSync(join(own, file, '..'), { recursive: true });
      writeFileSync(join(own, file), '');
    }
    return own;
  };

  test('are all that git tracks, whatever their folders are called, and all that it would add', () => {
    const tracked = ['functions/coverage/keys.ts', 'a/node_modules/b.ts', '.venv/a b\nc', 'gone.ts'];
    const own = folderWith(...tracked, 'new.ts', 'node_modules/package.js', '.env');
    git(own, 'init', '--quiet');
    git(own, 'add', '--force', ...tracked);
    writeFileSync(join(own, '.gitignore'), 'node_modules\n.env\n.venv\ncoverage\n');
    rmSync(join(own, 'gone.ts'));
    symlinkSync('new.ts', join(own, 'link'));
    const expected = [...tracked.slice(0, 3), '.gitignore', 'new.ts'];
    expect(filesToCheck(own).toSorted()).toEqual(expected.toSorted());
  });

  test('are those that no tool makes, where there is no git', () => {
    expect(filesToCheck(folderWith('a/b.ts', 'node_modules/package.js'))).toEqual(['a/b.ts']);
  });

  test('are unknown if git cannot list them: then the check ends with the reason', () => {
    const own = folderWith('a.ts');
    writeFileSync(join(own, '.git'), 'gitdir: /nowhere');
    expect(() => filesToCheck(own)).toThrow(
      `git cannot list the files of ${own}: fatal: not a git repository`,
    );
  });
});

/** A key of random bytes, after its id. */
function signingKey(bytes: number, id: string): string {
  return [id, randomBytes(bytes).toString('base64')].join(':');
}

function privateKey(): string {
  const { privateKey: key } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return key.export({ type: 'pkcs1', format: 'pem' }).toString();
}
