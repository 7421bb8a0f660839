import { readFileSync } from 'node:fs';
import { parse, type ScalarTag } from 'yaml';

/** `!GetAtt A.B` as CloudFormation's JSON has it; the other short forms do not occur in what is read here. */
const GET_ATT: ScalarTag = {
  tag: '!GetAtt',
  resolve: (text) => ({ 'Fn::GetAtt': text.split('.') }),
};

/** The CloudFormation resources in the functions.yml of `parts`, for one stage. */
export function servicesResources(parts: readonly string[], stage: string): Record<string, unknown> {
  const each = parts.map((part) => {
    const file = new URL(`../../${part}/functions.yml`, import.meta.url);
    const text = readFileSync(file, 'utf8').replaceAll('${sls:stage}', stage);
    return (parse(text, { customTags: [GET_ATT] }) as FunctionsYml).resources.Resources;
  });
  return Object.assign({}, ...each) as Record<string, unknown>;
}

interface FunctionsYml {
  readonly resources: { readonly Resources: Record<string, unknown> };
}
