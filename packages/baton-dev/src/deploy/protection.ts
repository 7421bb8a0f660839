// The protection of a stage's data.
import { ofType, type Resource, type Resources, TABLE } from '../stack/resources.ts';
import { StackError } from '../stack/stack-error.ts';

/** The stages of development: their data may be deleted. */
const DEVELOPMENT = /^(?:dev|test)(?:-|$)/;

/** Whether a stage is one of development: `dev`, `test`, or a name that begins with `dev-` or `test-`. */
export function isDevelopment(stage: string): boolean {
  return DEVELOPMENT.test(stage);
}

/**
 * Tables that outlive a mistake: DynamoDB refuses to delete them (its API Reference, "DeletionProtectionEnabled"), and
 * CloudFormation keeps them when it removes or replaces them (its User Guide, "DeletionPolicy attribute").
 */
export function protectedTables(resources: Resources): Resources {
  const entries = ofType(resources, TABLE).map(([id, table]): [string, Resource] => [
    id,
    {
      ...table,
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: { ...table.Properties, DeletionProtectionEnabled: true },
    },
  ]);
  return Object.fromEntries(entries);
}

/** Whether the tables of a compiled stack are protected. */
function isProtected(resources: Resources): boolean {
  return ofType(resources, TABLE).some(([, { DeletionPolicy }]) => DeletionPolicy === 'Retain');
}

/**
 * Checks that a stack may be removed.
 *
 * @param resources - of the stack as it is compiled
 * @param remove - the parameter `remove`: the stage's name, if the operator gave it
 * @throws StackError if the stage is protected and the word is not its name
 */
export function checkRemoval(stage: string, resources: Resources, remove: string | undefined): void {
  if (!isProtected(resources) || remove === stage) return;
  throw new StackError(
    `The stage ${stage} is protected, and its messages would be lost: expected --param="remove=${stage}". Its tables stay.`,
  );
}
