// What secretlint does not know as a secret: the password of any URL, and the keys that sign tasks.

/** The user and the password of a URL. A scheme before it makes no difference. */
const IN_URL = /:\/\/[^\s/?#'"`<>:]{0,256}:([^\s/?#'"`<>@]{1,256})@/g;
/** Passwords of tests and examples, as secretlint.json allows them, and names in braces for what a program puts there. */
const NO_PASSWORD = /^(?:secret|password|pass|word|\$?\{[\w.]{1,64}\})$/;
/** A key of 32 bytes, as `openssl rand -base64 32` writes it, after its id. */
const KEY = /(?<![\w.-])[\w.-]{1,64}:[\w+/-]{43}=(?![\w=])/;
/** A key of any length, after the name of its variable. */
const NAMED_KEY = /TASK_SIGNING_KEYS\W{1,10}[\w.-]{1,64}:[\w+/-]{43}/;

/** Names the secrets in a text, one a line, as `12: a password in a URL`. It does not show them. */
export function knownSecrets(text: string): string[] {
  return text.split(/\r\n|\r|\n/).flatMap((line, index) => {
    const found = [];
    if (holdsPassword(line)) found.push(`${index + 1}: a password in a URL`);
    if (KEY.test(line) || NAMED_KEY.test(line)) found.push(`${index + 1}: a key of TASK_SIGNING_KEYS`);
    return found;
  });
}

function holdsPassword(line: string): boolean {
  return [...line.matchAll(IN_URL)].some(([, password = '']) => !NO_PASSWORD.test(password));
}
