import { randomUUID } from 'node:crypto';
import { EMULATOR } from './deployment.ts';

/** A secret in the Secrets Manager of the emulator. */
export class StoredSecret {
  readonly arn: string;

  private constructor(arn: string) {
    this.arn = arn;
  }

  /** Makes a secret with this text. */
  static async create(text: string): Promise<StoredSecret> {
    const { ARN = '' } = await call('CreateSecret', {
      Name: `baton-tests/${randomUUID()}`,
      SecretString: text,
    });
    return new StoredSecret(ARN);
  }

  /** Makes this text its current version. */
  async put(text: string): Promise<void> {
    await call('PutSecretValue', { SecretId: this.arn, SecretString: text });
  }

  async remove(): Promise<void> {
    await call('DeleteSecret', { SecretId: this.arn, ForceDeleteWithoutRecovery: true });
  }
}

/** Calls Secrets Manager. An emulator reads the service and the region in the signature, and does not check it. */
async function call(name: string, input: object): Promise<{ readonly ARN?: string }> {
  const scope = `${EMULATOR.AWS_ACCESS_KEY_ID}/20260101/${EMULATOR.AWS_REGION}/secretsmanager/aws4_request`;
  const response = await fetch(EMULATOR.AWS_ENDPOINT_URL, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': `secretsmanager.${name}`,
      authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=none`,
    },
    body: JSON.stringify({ ClientRequestToken: randomUUID(), ...input }),
  });
  if (!response.ok) throw new Error(`${name}: ${response.status} ${await response.text()}`);
  return (await response.json()) as { readonly ARN?: string };
}
