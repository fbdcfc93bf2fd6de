/** `--profile DIR`: records what the worker runs while the command runs its model. */
import type { Command } from "commander";
import type { Worker } from "../inference/index.ts";
import type { Progress } from "./progress.ts";

// Public API

/** What a command is told of profiles. */
export interface ProfileOptions {
  readonly profile?: string;
}

/** Adds the option. */
export function withProfile(command: Command): Command {
  return command.option(
    "--profile <dir>",
    "record what the worker runs, in a new folder below this one on the worker's host (docs/debugging.md)",
  );
}

/** Begins to record where that is asked for. Disposing of the result ends it and says where the files are. */
export async function startProfile(
  worker: Worker,
  { profile: directory }: ProfileOptions,
  progress: Progress,
): Promise<AsyncDisposable | undefined> {
  if (directory === undefined) return undefined;
  const profile = await worker.profile(directory);
  return {
    async [Symbol.asyncDispose]() {
      const files = await progress.stage("writing the profile", () => profile.stop());
      for (const file of files) progress.say(`profile  ${file}`);
    },
  };
}
