import { describe, expect, test } from '@jest/globals';
import { parseMediaType } from '../media-type.ts';
import { readJsonBody } from '../json-body.ts';

const read = (contentType: string): unknown =>
  readJsonBody({ headers: { 'content-type': contentType }, body: Buffer.from('{}') } as never);

describe('a JSON body is accepted with the content type', () => {
  test.each([
    'application/json',
    'application/json;',
    'application/json ; ;',
    'Application/JSON',
    'application/json; charset=utf-8',
    'application/json;charset=UTF-8;',
    'application/json; charset="utf-8"',
    'application/json; charset="u\\tf-8"',
    'application/json; Charset=utf8',
    'application/json; charset=us-ascii',
    'application/json\t;\tcharset=utf-8',
    'application/json; version=1; charset=utf-8',
    'application/json; q="a;b,\\"c\\""',
    'application/json;odata.metadata=minimal',
    'application/problem+json',
    'application/vnd.api+json; profile="https://example.com/p"',
    'application/ld+json',
    'model/gltf+json',
  ])('%s', (contentType) => {
    expect(read(contentType)).toEqual({});
  });
});

describe('a JSON body is refused with the content type', () => {
  test.each([
    'text/plain',
    'application/jsonp',
    'application/x-json5',
    'json',
    'application/',
    'application/json charset=utf-8',
    'application/json, application/json',
    'application/json; charset',
    'application/json; charset=',
    'application/json; charset="utf-8',
    'application/json; charset= utf-8',
    'application/json; charset=latin1',
    'application/json; charset=utf-16',
    'multipart/form-data; boundary=x',
  ])('%s', (contentType) => {
    expect(() => read(contentType)).toThrow('expected application/json in UTF-8');
  });
});

test('a media type is read with its parameters, and a long invalid one is refused fast', () => {
  expect(parseMediaType(' Text/HTML ; Charset="a\\"b" ;x=1')).toEqual({
    type: 'text/html',
    parameters: new Map([
      ['charset', 'a"b'],
      ['x', '1'],
    ]),
  });
  const startedAtMs = performance.now();
  expect(parseMediaType(`a/b${';'.repeat(50_000)} "`)).toBeUndefined();
  expect(performance.now() - startedAtMs).toBeLessThan(1000);
});
