// All rules.
import { accessCoversTables, accessCoversTasks, accessIsUnderstood, trackingIsSaid } from './access.ts';
import { servicesDoNotCall } from './calls.ts';
import {
  composeEntriesAreAlone,
  composeIsBounded,
  composePublishesServices,
  composeRunsFolders,
  composeSharesEventSources,
  composeVariablesAreListed,
  composeWaits,
} from './compose-file.ts';
import {
  consumersAreBounded,
  contractsAreConsumed,
  contractsAreImplemented,
  lanesAreAlike,
  queuesHaveOneConsumer,
} from './consumers.ts';
import { contractsInFolder } from './contracts.ts';
import { environmentIsRead, functionsHaveVariables, variablesAreListed } from './environment.ts';
import { codeIsRead, codeIsTypeScript, filesHaveNames, foldersAreWhole } from './folders.ts';
import { apisAnswerInTime, handlersExist } from './functions.ts';
import { imagesHaveOneNode, imagesHaveTargets, imagesRunAsNode } from './images.ts';
import {
  importsAcrossByName,
  importsByTheStandard,
  importsLeadToFiles,
  importsPointOneWay,
  noCircles,
  publicEntriesAlone,
} from './imports.ts';
import { contractsAreListed, linksAreKnown } from './links.ts';
import { packagesAreDeclared } from './packages.ts';
import {
  deadLettersAreKept,
  leasesAreLongEnough,
  queuesAreEncrypted,
  queuesArePlain,
  queuesHaveDeadLetters,
} from './queues.ts';
import { prefixesAlone, routesBelowPrefix, routesInApi } from './routes.ts';
import type { Rule } from './rule.ts';
import { schedulesAreListed, schedulesAreTicked } from './schedules.ts';
import { namesHaveStage, serverlessNamesNoService, stackIsDescribed } from './stack.ts';
import { tablesAreKept, tablesHaveOneOwner } from './tables.ts';
import { oneLock, versionsAreExact, versionsAreListed } from './versions.ts';

/** The rules for code that is written on Baton, by what they are about. */
export const rules: Readonly<Record<string, readonly Rule[]>> = {
  folders: [foldersAreWhole, codeIsTypeScript, codeIsRead, filesHaveNames],
  imports: [
    importsPointOneWay,
    importsLeadToFiles,
    publicEntriesAlone,
    noCircles,
    importsAcrossByName,
    importsByTheStandard,
    packagesAreDeclared,
  ],
  services: [servicesDoNotCall, tablesHaveOneOwner],
  routes: [routesInApi, prefixesAlone, routesBelowPrefix],
  stack: [stackIsDescribed, namesHaveStage, serverlessNamesNoService, handlersExist, apisAnswerInTime],
  contracts: [
    contractsInFolder,
    contractsAreConsumed,
    contractsAreImplemented,
    contractsAreListed,
    linksAreKnown,
  ],
  schedules: [schedulesAreListed, schedulesAreTicked],
  queues: [
    queuesHaveDeadLetters,
    deadLettersAreKept,
    leasesAreLongEnough,
    queuesAreEncrypted,
    queuesArePlain,
    queuesHaveOneConsumer,
    consumersAreBounded,
    lanesAreAlike,
  ],
  tables: [tablesAreKept],
  access: [accessIsUnderstood, accessCoversTasks, accessCoversTables, trackingIsSaid],
  environment: [environmentIsRead, variablesAreListed, functionsHaveVariables],
  versions: [versionsAreExact, versionsAreListed, oneLock],
  images: [imagesHaveTargets, imagesHaveOneNode, imagesRunAsNode],
  containers: [
    composeRunsFolders,
    composeIsBounded,
    composePublishesServices,
    composeEntriesAreAlone,
    composeWaits,
    composeVariablesAreListed,
    composeSharesEventSources,
  ],
};
