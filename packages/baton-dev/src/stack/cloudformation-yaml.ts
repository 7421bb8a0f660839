// YAML with CloudFormation's short forms.
import { type CollectionTag, parseDocument, type ScalarTag, YAMLMap, YAMLSeq } from 'yaml';
import { StackError } from './stack-error.ts';

/** The functions of CloudFormation (CloudFormation User Guide, "Intrinsic function reference"), each with a short form. */
const FUNCTIONS =
  'And Base64 Cidr Equals FindInMap GetAtt GetAZs If ImportValue Join Length Not Or Select Split Sub ToJsonString Transform'.split(
    ' ',
  );
/** The functions whose long form has no `Fn::`. */
const WITHOUT_PREFIX = ['Condition', 'Ref'];

const LONG_FORMS: ReadonlyMap<string, string> = new Map([
  ...FUNCTIONS.map((name): [string, string] => [name, `Fn::${name}`]),
  ...WITHOUT_PREFIX.map((name): [string, string] => [name, name]),
]);

const SHORT_FORMS = [...LONG_FORMS].flatMap(([name, long]): (ScalarTag | CollectionTag)[] => {
  const tag = `!${name}`;
  const ofCollection = (collection: YAMLMap | YAMLSeq): YAMLMap => {
    const map = new YAMLMap();
    map.set(long, collection);
    return map;
  };
  return [
    { tag, resolve: (text) => ({ [long]: name === 'GetAtt' ? attributeOf(text) : text }) },
    { tag, collection: 'seq', nodeClass: YAMLSeq, resolve: (list) => ofCollection(list) },
    { tag, collection: 'map', nodeClass: YAMLMap, resolve: (map) => ofCollection(map) },
  ];
});

/**
 * Reads YAML with CloudFormation's short forms, such as `!GetAtt PaymentsQueue.Arn`, as what CloudFormation's JSON has.
 *
 * @param file - for errors
 * @throws StackError naming the file, the line and what is wrong there
 */
export function readYaml(text: string, file: string): unknown {
  const document = parseDocument(text, { customTags: SHORT_FORMS, merge: true });
  const [problem] = [...document.errors, ...document.warnings];
  if (problem) throw new StackError(`${file}: ${problem.message}`);
  return document.toJS() as unknown;
}

/** `PaymentsQueue.Arn` is the attribute `Arn` of `PaymentsQueue`; only the first dot ends the logical id. */
function attributeOf(text: string): string[] {
  const end = text.indexOf('.');
  return end < 0 ? [text] : [text.slice(0, end), text.slice(end + 1)];
}
