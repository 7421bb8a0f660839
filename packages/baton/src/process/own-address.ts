// The address of a container in one of its networks.
import { lookup } from 'node:dns/promises';
import { networkInterfaces } from 'node:os';

/**
 * Finds the own address in a network of Docker. Its name server knows each container there as NAME.NETWORK, and containers of
 * the same name as well.
 *
 * @throws Error that says which name has no address here
 */
export async function ownAddressIn(network: string, name: string): Promise<string> {
  const host = `${name}.${network}`;
  const found = await lookup(host, { all: true }).catch(() => []);
  const own = new Set(
    Object.values(networkInterfaces()).flatMap((each = []) => each.map(({ address }) => address)),
  );
  const address = found.find((each) => own.has(each.address))?.address;
  if (address !== undefined) return address;
  throw new Error(
    `${host} is no address of this machine: expected FUNCTIONS_NETWORK to be a network of Docker that the container ${name} is on`,
  );
}
