/**
 * Who is to blame when hosts of a group are lost: the first to go takes the others with it.
 *
 * JAX ends a process whose peer is lost, and a collective whose peer is lost fails or hangs. So what is seen first may be
 * a consequence, and the cause shows within a moment.
 */
import type { Loss } from "../errors.ts";

// Public API

/** What is asked of a host when one of the group seems lost. */
export interface Suspect {
  readonly index: number;
  /** What is known of the end of its process, where it was started here. */
  ending(): Promise<Loss | undefined>;
  /** How long it has given no sign of life. */
  silentMs(): number;
  /** What is said when silence is all that is known. */
  silence(): Loss;
}

/** The exit code of a worker that met no other host, or that JAX ended because a host was lost (hosts/group.py). */
export const peerLostExit = 6;

/** The exit code of a worker that ended itself, stuck in a launch that the others had left (hosts/launch_order.py). */
export const hungExit = 7;

/** Decides which host a loss is put down to, given the one that was noticed first. */
export async function causeOfLoss(
  noticed: { readonly index: number; readonly loss: Loss },
  suspects: readonly Suspect[],
): Promise<{ readonly index: number; readonly loss: Loss }> {
  if (noticed.loss.exitCode !== peerLostExit) return noticed;
  const others = suspects.filter(({ index }) => index !== noticed.index);
  const endings = await Promise.all(others.map(async (each) => ({ index: each.index, loss: await each.ending() })));
  for (const { index, loss } of endings) {
    if (loss !== undefined && loss.exitCode !== peerLostExit) return { index, loss };
  }
  const quiet = others.filter((_, n) => endings[n]?.loss === undefined).sort((a, b) => b.silentMs() - a.silentMs())[0];
  if (quiet !== undefined && quiet.silentMs() > noticeableMs) return { index: quiet.index, loss: quiet.silence() };
  return noticed;
}

// Implementation

/** Signs of life come every second. */
const noticeableMs = 3_000;
