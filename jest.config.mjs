/** Jest over native ES modules; SWC strips the types, as it does for the command (bin/typescript-loader.mjs). */
import { readFileSync } from "node:fs";

const swc = JSON.parse(readFileSync(new URL(".swcrc", import.meta.url), "utf8"));

export default {
  testEnvironment: "node",
  // The package's own name means its TypeScript here (package.json, "exports").
  testEnvironmentOptions: { customExportConditions: ["node", "node-addons", "tsxla-source"] },
  extensionsToTreatAsEsm: [".ts"],
  transform: { "^.+\\.ts$": ["@swc/jest", { ...swc, swcrc: false }] },
  testMatch: ["**/*.test.ts"],
  testPathIgnorePatterns: ["/node_modules/", "/.venv/", "/.oracle-venv/", "/.oracle-harmony-venv/"],
  modulePathIgnorePatterns: [
    "<rootDir>/.venv",
    "<rootDir>/.oracle-venv",
    "<rootDir>/.oracle-harmony-venv",
    "<rootDir>/.oracle-jobs-venv",
    "<rootDir>/.cache",
    "<rootDir>/dist",
    "<rootDir>/tests/packed/project",
  ],
  setupFiles: ["<rootDir>/bin/suppressed-error.mjs"],
  globalSetup: "<rootDir>/tests/support/global-setup.mjs",
  globalTeardown: "<rootDir>/tests/support/global-teardown.mjs",
  reporters: ["default", "<rootDir>/tests/support/coverage-reporter.mjs"],
  maxWorkers: 2,
  testTimeout: 60_000,
};
