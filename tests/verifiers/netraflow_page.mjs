// Runs the verification program of netraflow's webhook page, unchanged, on a delivery that was really received.
//
//     node netraflow_page.mjs PAGE SECRET SIGNATURE [every-bit] < BODY
//
// Ends with 0 if the page's handler took the event, with 1 if it answered 401. With `every-bit` it ends with 0 if the
// handler refused the body with each one of its bits flipped. The page shows a function and then the inside of a handler
// of a request; each is put where it can run, and not a word of it is changed.

import { flipped, input, load, program } from './page.mjs';

const [page, secret, signature, mode] = process.argv.slice(2);
const HANDLER = '// In your request handler:';
const whole = program(page, 'import crypto', 'JSON.parse(body);');
const cut = whole.indexOf(HANDLER);
if (cut < 0) throw new Error('the page shows no handler');
const { handle } = await load(
  `${whole.slice(0, cut)}
export async function handle(request, WEBHOOK_SECRET) {
${whole.slice(cut)}
return event;
}`,
);

/** What the page's handler makes of a request: the event, or its answer. */
async function judge(body) {
  const headers = { 'x-netraflow-signature': signature };
  try {
    return await handle(new Request('https://your-server.invalid/', { method: 'POST', headers, body }), secret);
  } catch (error) {
    return error;
  }
}

const body = input();
if (mode === 'every-bit') {
  for (const other of flipped(body)) {
    const verdict = await judge(other);
    if (!(verdict instanceof Error) && verdict.status !== 401) {
      console.log(`accepted: ${other}`);
      process.exit(1);
    }
  }
} else {
  const verdict = await judge(body);
  if (verdict instanceof Error || verdict instanceof Response) {
    console.log(verdict instanceof Error ? `refused: ${verdict.message}` : `refused: ${await verdict.text()}`);
    process.exit(1);
  }
  console.log(`accepted: ${verdict.event}`);
}
