// Nouvel's page as a running receiver: its Express server, with Node's own keep-alive, over TLS.
//
//     WEBHOOK_SECRET=... node express_receiver.mjs CERT KEY [PAGE]
//
// Says `listening PORT`, then what the page's handler prints. Where the page is not at hand, a program of the same calls
// stands in for it.

import express from 'express';

import { listen } from './listen.mjs';
import { load, program, withoutTypes } from './page.mjs';

const [cert, key, page] = process.argv.slice(2);
const STAND_IN = `
import crypto from 'crypto';
const app = express();
app.use(express.json());
app.post('/webhooks/nouvel', (req, res) => {
  const expected = crypto.createHmac('sha256', process.env.WEBHOOK_SECRET).update(JSON.stringify(req.body)).digest('hex');
  if (req.headers['x-nouvel-signature'] !== expected) return res.status(401).send('Invalid signature');
  for (const project of req.body.projects) console.log(\`Video ready: \${project.videoUrl}\`);
  res.status(200).json({ received: true });
});
app.listen(3000);
`;

globalThis.express = express;
globalThis.listen = (app) => listen(app, cert, key);
const source = page ? withoutTypes(program(page, "import express from 'express';", 'app.listen(3000);')) : STAND_IN;
await load(
  source
    .replace("import express from 'express';", 'const express = globalThis.express;')
    .replace('const app = express();', 'const app = globalThis.express();')
    .replace('app.use(express.json());', 'app.use(globalThis.express.json());')
    .replace('app.listen(3000);', 'globalThis.listen(app);'),
);
