import { expect, test } from '@jest/globals';
import { webPageProblem } from '../web-pages.ts';

const HOST = '127.0.0.1:3000';

test.each([
  ['of curl', { host: HOST }],
  ['to localhost', { host: 'localhost:3000' }],
  ['to localhost in capitals', { host: 'LocalHost:3000' }],
  ['to the IPv6 loopback', { host: '[::1]:3000' }],
  ['from an address bar', { host: HOST, 'sec-fetch-site': 'none' }],
  ['of a page of the server', { host: HOST, origin: `http://${HOST}`, 'sec-fetch-site': 'same-origin' }],
  ['through a proxy that keeps Host and Origin', { host: 'localhost:5173', origin: 'http://localhost:5173' }],
  ['to an allowed name', { host: 'laptop.test', origin: 'https://laptop.test' }],
])('a request %s is accepted', (_what, headers) => {
  expect(webPageProblem({ headers }, ['laptop.test'])).toBeUndefined();
});

test.each([
  ['to another name, as DNS rebinding makes it', { host: 'evil.example:3000' }, 421],
  ['to a name that begins like this machine', { host: '127.0.0.1.evil.example' }, 421],
  ['to a name that ends like this machine', { host: 'evil-localhost' }, 421],
  ['to a name with two ports', { host: '127.0.0.1:80:3000' }, 421],
  ['without a Host', {}, 421],
  ['of a page of another origin', { host: HOST, origin: 'https://evil.example' }, 403],
  ['of a page of another port', { host: HOST, origin: 'http://127.0.0.1:3001' }, 403],
  ['of a page at another name of this machine', { host: HOST, origin: 'http://localhost:3000' }, 403],
  ['of a sandboxed page', { host: HOST, origin: 'null' }, 403],
  ['of an image on another site', { host: HOST, 'sec-fetch-site': 'cross-site' }, 403],
  ['of a page of the same site', { host: HOST, 'sec-fetch-site': 'same-site' }, 403],
])('a request %s is refused', (_what, headers, status) => {
  expect(webPageProblem({ headers })).toMatchObject({ status, message: expect.stringContaining('expected') });
});
