// A receiver as most of Standard Webhooks' users have it: Express, and the npm package `standardwebhooks`.
//
//     WEBHOOK_SECRET=... node standard_receiver.mjs CERT KEY
//
// Says `listening PORT`, then `Accepted: ID` for each event that the package accepts.

import express from 'express';
import { Webhook } from 'standardwebhooks';

import { listen } from './listen.mjs';

const [cert, key] = process.argv.slice(2);
const webhook = new Webhook(process.env.WEBHOOK_SECRET);
const app = express();
app.post('/hook', express.raw({ type: 'application/json' }), (request, response) => {
  try {
    webhook.verify(request.body, request.headers, { jsonParse: false });
  } catch {
    return response.sendStatus(401);
  }
  console.log(`Accepted: ${request.headers['webhook-id']}`);
  return response.sendStatus(204);
});
listen(app, cert, key);
