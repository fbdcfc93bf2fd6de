/** What a job says while it runs: for people, or as lines of JSON. */
import type { JobEvent, JobProgress, JobSummary } from "../../inference/index.ts";
import { Progress } from "../progress.ts";

// Public API

export interface JobReporter {
  tell(event: JobEvent): void;
  /** Something that is told once. */
  say(text: string): void;
  end(summary: JobSummary): void;
  /** Takes a line that moves away, so that an error can follow. */
  clear(): void;
}

/** @param json  lines of JSON on stderr, and the summary as one object on stdout */
export function jobReporter({ json }: { readonly json: boolean }): JobReporter {
  return json ? jsonReporter() : plainReporter(new Progress());
}

/** A time as people read it: `1:02:03`, `4:05`. */
export function clock(seconds: number): string {
  const whole = Math.round(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const end = String(whole % 60).padStart(2, "0");
  return hours === 0 ? `${minutes}:${end}` : `${hours}:${String(minutes).padStart(2, "0")}:${end}`;
}

/** One line of a job under way. */
export function progressLine(now: JobProgress): string {
  const ready = now.workers.filter(({ state }) => state === "ready");
  const each = ready.map(
    ({ name, rows, running, tokensPerSecond }) => `${name} ${running}/${rows} ${tokensPerSecond.toFixed(0)} tokens/s`,
  );
  return [
    `${now.answered + now.failed} of ${now.total}`,
    ...(now.failed === 0 ? [] : [`${now.failed} failed`]),
    `${now.running} running`,
    ...(now.retrying === 0 ? [] : [`${now.retrying} to try again`]),
    `${now.tokensPerSecond.toFixed(1)} tokens/s`,
    ...(now.secondsLeft === undefined ? [] : [`${clock(now.secondsLeft)} left`]),
    `${ready.length} of ${now.workers.length} workers`,
    ...(each.length > 1 ? [each.slice(0, shownWorkers).join(", ")] : []),
  ].join(" · ");
}

/** What a job came to. */
export function summaryLines(summary: JobSummary): readonly string[] {
  const { answered, failed, resumed, answerTokens, promptTokens, reusedTokens, seconds, retries } = summary;
  const reuse = promptTokens === 0 ? 0 : (100 * reusedTokens) / promptTokens;
  const ties = summary.nearTies.map(({ customId }) => customId);
  return [
    [
      `${answered} answered`,
      `${failed} failed`,
      ...(resumed === 0 ? [] : [`${resumed} of them before`]),
      `${answerTokens} tokens in ${clock(seconds)}, ${summary.tokensPerSecond.toFixed(1)} tokens/s`,
      `${promptTokens} tokens of prompts, ${reuse.toFixed(0)} % reused`,
      ...(retries === 0 ? [] : [`${retries} tried again`]),
      ...(summary.workersLost === 0 ? [] : [`workers lost ${summary.workersLost} times`]),
    ].join(" · "),
    ...summary.workersGone.map(({ name, reason }) => `worker ${name} was not used: ${reason}`),
    ...(ties.length === 0 ? [] : [`near ties, which another run may decide otherwise: ${listed(ties)}`]),
  ];
}

// Implementation

const shownWorkers = 8;
const shownNames = 20;
const shownFailures = 20;

function jsonReporter(): JobReporter {
  return {
    tell: (event) => process.stderr.write(`${JSON.stringify(event)}\n`),
    say: (text) => process.stderr.write(`${JSON.stringify({ kind: "note", text })}\n`),
    end: (summary) => process.stdout.write(`${JSON.stringify(summary)}\n`),
    clear: () => {},
  };
}

function plainReporter(progress: Progress): JobReporter {
  const count = progress.count("job");
  let failures = 0;
  return {
    tell: (event) => {
      switch (event.kind) {
        case "begun": {
          const { total, resumed, left, mended } = event;
          const before = resumed === 0 ? "" : `, ${resumed} done before`;
          const torn = mended === 0 ? "" : `; a torn line of ${mended} bytes was cut off the output`;
          progress.say(`${total} requests${before}, ${left} left${torn}`);
          break;
        }
        case "worker": {
          const why = event.reason === undefined ? "" : `: ${event.reason}`;
          if (event.state === "ready") progress.say(`worker ${event.name} is ready`);
          else if (event.state === "lost") progress.say(`worker ${event.name} is lost${why}`);
          else if (event.state === "gone") progress.say(`worker ${event.name} is set aside${why}`);
          break;
        }
        case "failed":
          failures += 1;
          if (failures <= shownFailures) progress.say(`${event.customId} has no answer: ${event.message}`);
          if (failures === shownFailures) progress.say("further ones are in the output");
          break;
        case "progress":
          count.update(progressLine(event));
          break;
      }
    },
    say: (text) => progress.say(text),
    end: (summary) => {
      count.clear();
      for (const line of summaryLines(summary)) progress.say(line);
    },
    clear: () => count.clear(),
  };
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, shownNames).join(", ");
  return names.length > shownNames ? `${shown} and ${names.length - shownNames} more` : shown;
}
