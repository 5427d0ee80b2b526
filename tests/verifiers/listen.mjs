// An Express application as a running receiver: Node's own server with its default keep-alive, over TLS, on any free port.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';

/** Says `listening PORT` once it does. */
export function listen(app, cert, key) {
  const server = createServer({ cert: readFileSync(cert), key: readFileSync(key) }, app);
  server.listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));
}
