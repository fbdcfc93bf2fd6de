/** Brings models here: repositories of the Hugging Face hub, at one commit, resumed and checked. */
export type { ContentHash } from "./content-hash.ts";
export type { Wanted } from "./file-selection.ts";
export type { HubFile } from "./listing.ts";
export { type Pulled, type PullOptions, pull } from "./pull.ts";
export type { PullEvent } from "./pull-progress.ts";
