#!/usr/bin/env node
import "./typescript-loader.mjs";

const { main } = await import("../cli/main.ts");
await main(process.argv.slice(2));
