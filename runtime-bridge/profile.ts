/** A profile of what a worker runs, for as long as it is held. */
import { type ClientDuplexStream, status } from "@grpc/grpc-js";
import { RuntimeFailure } from "../dsl/errors.ts";
import { type ProfileRequest, type ProfileResponse, WorkerService } from "../proto/generated/worker.ts";
import type { Connection } from "./link/connection.ts";

// Public API

/** A recording under way. It ends with `stop`, with its worker's connection, or with `await using`. */
export class Profile implements AsyncDisposable {
  /** Its folder, on the worker's host. */
  readonly directory: string;
  readonly #stream: Stream;
  readonly #ended: Promise<readonly string[]>;

  private constructor(directory: string, stream: Stream, ended: Promise<readonly string[]>) {
    this.directory = directory;
    this.#stream = stream;
    this.#ended = ended;
  }

  /** Made by `Worker.profile`. */
  static async start(connection: Connection, directory: string): Promise<Profile> {
    const stream = connection.open(WorkerService.profile);
    const responses: ProfileResponse[] = [];
    let begun: (response: ProfileResponse) => void;
    const first = new Promise<ProfileResponse>((resolve) => {
      begun = resolve;
    });
    const ended = new Promise<readonly string[]>((resolve, reject) => {
      stream.on("data", (response: ProfileResponse) => {
        responses.push(response);
        if (responses.length === 1) begun(response);
      });
      stream.on("status", ({ code }: { readonly code: number }) => {
        if (code !== status.OK) return;
        const last = responses[1];
        if (last !== undefined) resolve(last.files);
        else
          reject(new RuntimeFailure("PROFILE_FAILED", "the worker ended a profile without saying where its files are"));
      });
      stream.on("error", (error) => void connection.explain(error).then(reject, reject));
    });
    ended.catch(() => {});
    stream.write({ directory });
    const response = await Promise.race([first, ended]);
    // A stream that ended before it began has thrown.
    return new Profile((response as ProfileResponse).directory, stream, ended);
  }

  /** Ends it. @returns the files, on the worker's host */
  async stop(): Promise<readonly string[]> {
    this.#stream.end();
    return await this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop().catch(() => {});
  }
}

// Implementation

type Stream = ClientDuplexStream<ProfileRequest, ProfileResponse>;
