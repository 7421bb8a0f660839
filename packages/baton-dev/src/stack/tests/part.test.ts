import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readYaml } from '../cloudformation-yaml.ts';
import { partFolders, readPart } from '../part.ts';
import { StackError } from '../stack-error.ts';

const read = (text: string): unknown => readYaml(text, 'functions.yml');

describe("CloudFormation's short forms", () => {
  test.each([
    ['!GetAtt Work.Arn', { 'Fn::GetAtt': ['Work', 'Arn'] }],
    ['!GetAtt Inner.Outputs.Url', { 'Fn::GetAtt': ['Inner', 'Outputs.Url'] }],
    ['!Ref Work', { Ref: 'Work' }],
    ['!Condition IsLive', { Condition: 'IsLive' }],
    [
      "!Join ['-', [!Ref AWS::StackName, !Sub '${A}-b']]",
      {
        'Fn::Join': ['-', [{ Ref: 'AWS::StackName' }, { 'Fn::Sub': '${A}-b' }]],
      },
    ],
    [
      '!If [IsLive, { Key: !Ref Key }, !Ref AWS::NoValue]',
      {
        'Fn::If': ['IsLive', { Key: { Ref: 'Key' } }, { Ref: 'AWS::NoValue' }],
      },
    ],
    ["!Select [0, !GetAZs '']", { 'Fn::Select': [0, { 'Fn::GetAZs': '' }] }],
    [
      '!Transform { Name: AWS::Include, Parameters: { Location: !Ref Where } }',
      {
        'Fn::Transform': { Name: 'AWS::Include', Parameters: { Location: { Ref: 'Where' } } },
      },
    ],
  ])('%s is read as the long form', (text, value) => {
    expect(read(`it: ${text}`)).toEqual({ it: value });
  });

  test.each([
    ['one that there is not', 'a: 1\nb: !Refer Work', 'functions.yml: Unresolved tag: !Refer at line 2'],
    ['what is no YAML', 'a: [1', 'functions.yml: Flow sequence'],
    ['a name twice', 'a: 1\na: 2', 'functions.yml: Map keys must be unique at line 2'],
  ])('%s is refused with its file and line', (_what, text, says) => {
    expect(() => read(text)).toThrow(says);
    expect(() => read(text)).toThrow(StackError);
  });
});

describe('a functions.yml', () => {
  let root: string;
  const write = async (text: string) => writeFile(join(root, 'functions/a-service/functions.yml'), text);

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'baton-parts-'));
    for (const folder of ['functions/a-service', 'functions/b-service', 'worker'])
      await mkdir(join(root, folder), { recursive: true });
    await writeFile(join(root, 'worker/functions.yml'), 'functions: {}');
  });
  afterAll(() => rm(root, { recursive: true }));

  test('makes its folder a part of the stack, with the worker last', async () => {
    await write('functions: {}');
    expect(partFolders(root)).toEqual(['functions/a-service', 'worker']);
  });

  test('gets the name of the stage, and leaves all other variables to Serverless', async () => {
    await write("functions: { a: { handler: x.y, environment: { A: '${sls:stage} ${param:a, 1}' } } }");
    expect(readPart('functions/a-service', 'qa', root).functions?.['a']?.environment).toEqual({
      A: 'qa ${param:a, 1}',
    });
  });

  test.each([
    ['a member that there is not', 'function: {}', 'Unrecognized key: "function"'],
    ['a function without a handler', 'functions: { a: {} }', 'functions.a.handler'],
    [
      'an event source without settings',
      'functions: { a: { handler: x.y, events: [{ sqs: arn }] } }',
      'expected the settings of an event source',
    ],
    [
      'a resource without properties',
      'resources: { Resources: { A: { Type: T } } }',
      'resources.Resources.A.Properties',
    ],
    ['outputs', 'resources: { Outputs: {} }', 'Unrecognized key: "Outputs"'],
    ['a parameter of a wrong name', 'parameters: { Mail: x }', 'expected a name such as'],
    ['an example without a method', 'example: { request: /a }', 'expected a method and a path'],
  ])('with %s is refused with its path', async (_what, text, says) => {
    await write(text);
    const reading = () => readPart('functions/a-service', 'dev', root);
    expect(reading).toThrow(says);
    expect(reading).toThrow('functions/a-service/functions.yml: ');
    expect(reading).toThrow(StackError);
  });
});
