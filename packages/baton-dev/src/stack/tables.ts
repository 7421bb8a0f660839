// The tables in a template.
import { ofType, type Resources, TABLE } from './resources.ts';
import { StackError } from './stack-error.ts';

/** A table of the stack. */
export interface Table {
  /** Its logical id. */
  readonly id: string;
  /** Its whole name, such as `baton-dev-payments`. */
  readonly name: string;
  /** All its properties, as CloudFormation has them. */
  readonly properties: Readonly<Record<string, unknown>>;
}

/** The tables of a stack. @throws StackError naming the table that has no name */
export function tablesOf(resources: Resources): Table[] {
  return ofType(resources, TABLE).map(([id, { Properties: properties }]) => {
    const { TableName: name } = properties;
    if (typeof name === 'string') return { id, name, properties };
    throw new StackError(`${id}.TableName: expected the name of the table, got ${JSON.stringify(name)}`);
  });
}
