/** Texts in snapshots as they are, without quotes and escapes. Imported for its effect. */
import { expect } from "@jest/globals";

expect.addSnapshotSerializer({ test: (value) => typeof value === "string", print: (value) => value as string });
