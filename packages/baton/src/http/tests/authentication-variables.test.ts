import { expect, test } from '@jest/globals';
import { ConfigError, parseConfig } from '../../process/config.ts';
import { authenticationVariables } from '../authentication.ts';

const ISSUER = 'https://login.example.com';

test.each([
  [{}, ['JWT_ISSUER is not set: expected the issuer', 'JWT_AUDIENCE is not set: expected whom']],
  [{ AUTHENTICATION: '' }, ['JWT_ISSUER is not set', 'JWT_AUDIENCE is not set']],
  [{ JWT_ISSUER: ISSUER }, ['JWT_AUDIENCE is not set']],
  [{ JWT_AUDIENCE: 'a' }, ['JWT_ISSUER is not set']],
  [{ JWT_ISSUER: ISSUER, JWT_AUDIENCE: 'a,,b' }, ['JWT_AUDIENCE held "a,,b"']],
  [{ JWT_ISSUER: 'login', JWT_AUDIENCE: 'a' }, ['JWT_ISSUER held "login": expected a URL']],
  [{ JWT_ISSUER: 'http://login.example.com', JWT_AUDIENCE: 'a' }, ['JWT_ISSUER held', 'expected https']],
  [{ JWT_ISSUER: 'http://127.0.0.1.example.com', JWT_AUDIENCE: 'a' }, ['expected https']],
  [{ JWT_ISSUER: 'http://localhost@example.com', JWT_AUDIENCE: 'a' }, ['expected https']],
  [{ JWT_ISSUER: ISSUER, JWT_AUDIENCE: 'a', JWT_JWKS_URL: 'file:///keys' }, ['JWT_JWKS_URL held']],
  [{ AUTHENTICATION: 'off' }, ['AUTHENTICATION held "off": expected one of jwt, none']],
  [{ AUTHENTICATION: 'none', JWT_ISSUER: ISSUER }, ['AUTHENTICATION held "none": expected jwt']],
])('an API does not start with %j', (environment, lines) => {
  const read = () => parseConfig(authenticationVariables, environment);
  expect(read).toThrow(ConfigError);
  for (const line of lines) expect(read).toThrow(line);
});

test.each([
  [{ AUTHENTICATION: 'none' }],
  [{ JWT_ISSUER: ISSUER, JWT_AUDIENCE: 'a' }],
  [{ JWT_ISSUER: 'http://127.0.0.1:9000', JWT_AUDIENCE: 'a, b' }],
  [{ JWT_ISSUER: 'http://[::1]:9000', JWT_AUDIENCE: 'a' }],
  [
    {
      JWT_ISSUER: 'http://keycloak:8080/realms/shop',
      JWT_AUDIENCE: 'a',
      JWT_JWKS_URL: 'http://keycloak:8080/keys',
    },
  ],
])('an API starts with %j', (environment) => {
  expect(() => parseConfig(authenticationVariables, environment)).not.toThrow();
});
