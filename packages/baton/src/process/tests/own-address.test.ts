import { expect, test } from '@jest/globals';
import { ownAddressIn } from '../own-address.ts';

test("a container's address in a network is one of its own", async () => {
  await expect(ownAddressIn('0.1', '127.0')).resolves.toBe('127.0.0.1');
});

test.each([
  ['of another machine', '2.1', '192.0'],
  ['that does not exist', 'invalid', 'orders-service'],
])('an address %s is refused, with the variable to change', async (_what, network, name) => {
  await expect(ownAddressIn(network, name)).rejects.toThrow(
    `${name}.${network} is no address of this machine: expected FUNCTIONS_NETWORK to be a network of Docker`,
  );
});
