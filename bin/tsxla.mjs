#!/usr/bin/env node
import { existsSync } from "node:fs";
import "./typescript-loader.mjs";

// A checkout runs its TypeScript, an installed package what was built of it.
const source = new URL("../cli/main.ts", import.meta.url);
const { main } = await import(existsSync(source) ? source.href : new URL("../dist/cli/main.js", import.meta.url).href);
await main(process.argv.slice(2));
