import { expect, test } from '@jest/globals';
import { namePattern } from '../names.ts';

const naming = namePattern([
  'parcel-service',
  'ParcelsQueue',
  'parcels.weigh',
  'crates',
  'CRATE_URL',
  'weighParcel',
]);

test.each([
  'the parcel-service',
  'parcelService',
  'ParcelServiceUrl',
  'newParcelService',
  'PARCEL_SERVICE_PORT',
  'the parcel service',
  'Parcel services',
  'parcels queue',
  'parcelsQueue',
  'parcels.weigh',
  'all crates',
  'CratesOf',
  'cratesOf',
  'oldCrates',
  'crateUrl',
  'weigh-parcel',
  'weighParcelTask',
])('"%s" names a part of the demo', (text) => {
  expect(naming.test(text)).toBe(true);
});

test.each([
  'a parcel',
  'Crates are',
  'service of parcels',
  'socrates',
  'a crate',
  'ParcelServiced',
  'queue parcels',
])('"%s" does not name a part of the demo', (text) => {
  expect(naming.test(text)).toBe(false);
});
