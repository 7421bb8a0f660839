type Action = (
  store: object,
  data: object,
  done: (
    error: (Error & { body?: { __type?: string; message?: string } }) | null,
    answer?: { Item?: never; Attributes?: never },
  ) => void,
) => void;

declare module 'dynalite/actions/deleteItem.js' {
  const action: Action;
  export default action;
}
declare module 'dynalite/actions/getItem.js' {
  const action: Action;
  export default action;
}
declare module 'dynalite/actions/putItem.js' {
  const action: Action;
  export default action;
}
declare module 'dynalite/actions/updateItem.js' {
  const action: Action;
  export default action;
}
declare module 'dynalite/validations/index.js' {
  /** Parses the expressions of a request and adds them to `data`. Returns what is wrong with them, if anything. */
  export function validateExpressions(data: object): string | undefined;
}
