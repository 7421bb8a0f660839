// The attributes that a request of DynamoDB names, as IAM counts them for `dynamodb:Attributes`.

/** The words of expressions that are no attributes. */
const WORDS =
  /^(?:SET|REMOVE|ADD|DELETE|AND|OR|NOT|IN|BETWEEN|if_not_exists|attribute_exists|attribute_not_exists|contains|begins_with|size|list_append)$/;

/** The parts of a request that name attributes. */
export interface NamingRequest {
  readonly Key?: object | undefined;
  readonly Item?: object | undefined;
  readonly ConditionExpression?: string | undefined;
  readonly UpdateExpression?: string | undefined;
  readonly ExpressionAttributeNames?: Readonly<Record<string, string>> | undefined;
}

/**
 * The attributes that a request names: those of its key and item, and the outermost of each path in its expressions, the
 * condition too.
 */
export function attributesOf(request: NamingRequest): ReadonlySet<string> {
  const { Key = {}, Item = {}, ExpressionAttributeNames: names = {} } = request;
  const text = `${request.ConditionExpression ?? ''} ${request.UpdateExpression ?? ''}`;
  const paths = text.match(/(?<![:\w#.])#?[A-Za-z_]\w*/g) ?? [];
  const inText = paths.filter((path) => !WORDS.test(path)).map((path) => names[path] ?? path);
  return new Set([...Object.keys(Key), ...Object.keys(Item), ...inText]);
}
