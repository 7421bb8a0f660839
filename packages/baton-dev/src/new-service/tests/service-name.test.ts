import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { readServiceName, renamed } from '../service-name.ts';
import { refuseTaken, wordsOf } from '../taken.ts';
import { templateTexts } from '../template.ts';
import { ROOT } from '../../stack/root.ts';

describe('a name', () => {
  test.each([
    ['payments', undefined, 'payment'],
    ['deliveries', undefined, 'delivery'],
    ['boxes', undefined, 'box'],
    ['houses', undefined, 'house'],
    ['statuses', 'status', 'status'],
    ['people', 'person', 'person'],
  ])('%s (--singular %s) has the singular %s', (plural, given, singular) => {
    expect(readServiceName(plural, given)).toEqual({ plural, singular });
  });

  test.each([
    [
      'Payments',
      undefined,
      '"Payments" cannot be the name of a service: expected 3 to 20 lower-case letters',
    ],
    [
      'gift-cards',
      undefined,
      '"gift-cards" cannot be the name of a service: expected 3 to 20 lower-case letters',
    ],
    ['../payments', undefined, '"../payments" cannot be the name'],
    ['', undefined, '"" cannot be the name'],
    ['p'.repeat(21), undefined, 'expected 3 to 20'],
    ['payment-service', undefined, 'expected 3 to 20'],
    ['paymentservice', undefined, 'without "service"'],
    [
      'inventory',
      undefined,
      '"inventory" cannot be the name of a service: expected a plural, such as payments',
    ],
    ['news', undefined, '"new" cannot be the name of a service: expected a word that code can use'],
    ['evals', undefined, '"eval" cannot be the name of a service: expected a word that code can use'],
    [
      'arguments',
      undefined,
      '"arguments" cannot be the name of a service: expected a word that code can use',
    ],
    ['payments', 'Payment', '"Payment" cannot be the name of a service: expected a word that code can use'],
  ])('%j (--singular %s) is refused, with what is allowed', (plural, singular, says) => {
    expect(() => readServiceName(plural, singular)).toThrow(says);
  });

  test.each([
    ['tasks', 'functions/task-service exists already'],
    ['documents', '"documents" means something else in the code of a service'],
  ])('%s, which is already in use, is refused: %s', async (plural, says) => {
    const words = wordsOf(await templateTexts());
    const refused = refuseTaken(ROOT, readServiceName(plural), words);
    await expect(refused).rejects.toThrow(says);
  });

  test.each(['unicorns', 'griffins'])('%s is not in use yet', async (plural) => {
    const words = wordsOf(await templateTexts());
    await expect(refuseTaken(ROOT, readServiceName(plural), words)).resolves.toBeUndefined();
  });

  test.each([
    [{ plural: 'health', singular: 'check' }, 'common/contracts/health.ts exists already'],
    [{ plural: 'tasks', singular: 'job' }, 'the path /tasks leads to the function taskServiceApi'],
    [{ plural: 'default', singular: 'one' }, '(AWS::SQS::Queue) has that name'],
  ])('is refused if a contract, a path or a queue uses it: %j', async (name, says) => {
    await expect(refuseTaken(ROOT, name, new Set())).rejects.toThrow(says);
  });

  test('is refused if a released contract uses it, even if its code is removed', async () => {
    const root = await mkdtemp(join(tmpdir(), 'new-service-'));
    await mkdir(join(root, 'common/contracts/released'), { recursive: true });
    await writeFile(join(root, 'common/contracts/released/unicorns.record.json'), '{}');
    const refused = refuseTaken(root, readServiceName('unicorns'), new Set());
    await expect(refused).rejects.toThrow('the contract unicorns.record exists already');
    await rm(root, { recursive: true });
  });
});

test("a text about samples becomes a text about the service's items", () => {
  const text =
    "Samples of SAMPLES_TABLE: a sample, a new sample. A sample is `sampleId` of NewSample's samples.";
  expect(renamed(text, { plural: 'invoices', singular: 'invoice' })).toBe(
    "Invoices of INVOICES_TABLE: an invoice, a new invoice. An invoice is `invoiceId` of NewInvoice's invoices.",
  );
});

test('each service has its own namespace', () => {
  const text = "'00000000-0000-4000-8000-000000000000'";
  const [one, other] = [1, 2].map(() => renamed(text, { plural: 'a', singular: 'b' }));
  expect(one).toMatch(/^'[0-9a-f-]{36}'$/);
  expect(one).not.toBe(text);
  expect(one).not.toBe(other);
});
