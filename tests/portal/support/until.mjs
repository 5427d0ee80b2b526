// Waiting for what must happen: by looking again until a deadline that only a failure reaches.

import { setTimeout as pause } from 'node:timers/promises';

/** How long anything may take on a machine that is busy. */
export const DEADLINE = 60_000;

/** What `look` sees once it sees something; `what` says what was missed. */
export async function until(what, look, { within = DEADLINE } = {}) {
  const end = Date.now() + within;
  for (;;) {
    const seen = await look();
    if (seen) return seen;
    if (Date.now() > end) throw new Error(`not within ${within / 1000} s: ${what}`);
    await pause(100);
  }
}
