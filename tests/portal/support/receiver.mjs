// The customer's side of a webhook: an HTTPS server on this machine that keeps what comes, and answers as a test tells it to.

import { createHmac, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';

import { stack } from './stack.mjs';
import { until } from './until.mjs';

export class Receiver {
  /** Listens on a port of its own. */
  static async open() {
    const receiver = new Receiver();
    await new Promise((listening) => receiver.server.listen(0, '127.0.0.1', listening));
    return receiver;
  }

  constructor() {
    this.received = [];
    this.answers = new Map();
    const { cert, key } = stack.receiver_tls;
    this.server = createServer({ cert: readFileSync(cert), key: readFileSync(key) }, (request, response) => this.take(request, response));
  }

  /** Each path is a receiver of its own. */
  url(path = '/') {
    return `https://localhost:${this.server.address().port}${path}`;
  }

  /** From now on this path answers so; without an answer it takes all. */
  answers_with(path, status, { body = '', headers = {} } = {}) {
    this.answers.set(path, { status, body, headers });
  }

  take(request, response) {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const { status, body, headers } = this.answers.get(request.url) ?? { status: 204, body: '', headers: {} };
      this.received.push({ path: request.url, headers: request.headers, body: Buffer.concat(chunks), status });
      response.writeHead(status, headers).end(body);
    });
  }

  /** All that came to a path so far. */
  at(path) {
    return this.received.filter((one) => one.path === path);
  }

  /** What came to a path, once that many have. */
  until(path, many) {
    return until(`${many} requests at ${path}`, () => {
      const came = this.at(path);
      return came.length >= many && came;
    });
  }

  close() {
    this.server.closeAllConnections();
    return new Promise((closed) => this.server.close(closed));
  }
}

/** Whether a request was signed with this secret, as Standard Webhooks has it. */
export function isSigned({ headers, body }, secret) {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
  const own = createHmac('sha256', key).update(signed).digest();
  return headers['webhook-signature'].split(' ').some((one) => {
    const [version, signature] = one.split(',');
    const given = Buffer.from(signature ?? '', 'base64');
    return version === 'v1' && given.length === own.length && timingSafeEqual(given, own);
  });
}
