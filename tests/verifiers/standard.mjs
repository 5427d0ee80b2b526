// Verifies a delivery that was really received with the npm package `standardwebhooks`.
//
//     SECRET=... node standard.mjs ID TIMESTAMP SIGNATURE < BODY
//
// Ends with 0 if the package accepts it, and with 1 and its reason if not.

import { readFileSync } from 'node:fs';
import { Webhook, WebhookVerificationError } from 'standardwebhooks';

const [id, timestamp, signature] = process.argv.slice(2);
const headers = { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature };
try {
  new Webhook(process.env.SECRET).verify(readFileSync(0), headers, { jsonParse: false });
} catch (error) {
  if (!(error instanceof WebhookVerificationError)) throw error;
  console.log(`refused: ${error.message}`);
  process.exit(1);
}
