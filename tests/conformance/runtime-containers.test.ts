import { containersRuntime } from '../../harness/runtime/containers.ts';
import { prepareContainers } from '../support/tiny-image.ts';
import { runtimeSuite } from './runtime-suite.ts';

runtimeSuite(containersRuntime, await prepareContainers());
