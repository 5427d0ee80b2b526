// The stack that POSTRIDER_STACK names, and calls of its API as the provider's own backend makes them.

import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

const path = process.env.POSTRIDER_STACK;
if (!path) throw new Error('no stack is named: `make up`, then `make portal-test`');

export const stack = JSON.parse(readFileSync(path, 'utf8'));

/** Where pictures are kept: beside the stack's description, as all that a run leaves. */
export const pictures = join(dirname(resolve(path)), 'pictures');

/** Who calls the API with one credential. */
export class Caller {
  /** With a header of a dialect's own for it, where it has one. */
  constructor(credential, header = 'authorization') {
    this.credential = credential;
    this.header = header;
  }

  /** What is answered, whatever it is. */
  async call(method, where, body) {
    const headers = { 'content-type': 'application/json' };
    if (this.credential) headers[this.header] = this.header === 'authorization' ? `Bearer ${this.credential}` : this.credential;
    const signal = AbortSignal.timeout(60_000);
    const answer = await fetch(stack.api_url + where, { method, headers, signal, body: body && JSON.stringify(body) });
    const text = await answer.text();
    return { status: answer.status, body: text ? JSON.parse(text) : null };
  }

  /** What is answered to a call that has to succeed. */
  async done(method, where, body) {
    const { status, body: answer } = await this.call(method, where, body);
    if (status >= 300) throw new Error(`${method} ${where} answered ${status}: ${JSON.stringify(answer)}`);
    return answer;
  }
}

export const operator = new Caller(stack.admin_key);

/** A tenant of the test's own, with a key for each thing that its backend does. */
export async function tenant({ dialect = 'standard', plan = 'pro', name = `Portal ${randomUUID().slice(0, 8)}` } = {}) {
  const { id } = await operator.done('POST', '/v1/tenants', { name, plan });
  const { key } = await operator.done('POST', `/v1/tenants/${id}/keys`, { dialect });
  return { id, name, customer: new Caller(key) };
}

/** Who publishes events for all tenants. */
export async function publisher() {
  const { key } = await operator.done('POST', '/v1/keys', { scopes: ['events:write'], name: 'portal' });
  return new Caller(key);
}
