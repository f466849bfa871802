import { defineConfig } from 'vitest/config';

/** Seams whose tests mostly wait for stacks to come up, and whose bounds of time are wide: their files run side by side. */
const STACKS = ['tests/conformance/runtime-*.test.ts', 'tests/conformance/shop-database.test.ts'];

/**
 * Four kinds of suites: pure ones beside the code, seams against real components, whole runs through the CLI, and shipped
 * plans that must catch what was planted in the sample shop.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            '{harness,faults,reports,fixtures,ci}/**/*.test.ts',
            'tests/*.test.ts',
            'tests/simulation/**/*.test.ts',
          ],
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'conformance',
          include: ['tests/conformance/**/*.test.ts'],
          exclude: STACKS,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'stacks',
          include: STACKS,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          maxWorkers: 3,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['tests/e2e/**/*.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'weakness',
          include: ['tests/weakness/**/*.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
