// The portal as its visitors come to it: by a link that the provider's backend asks for.

import { operator, stack } from './stack.mjs';

export const PORTAL = `${stack.api_url}/portal`;

/** A link for a tenant; `wishes` are those of the API. */
export function link(tenant, wishes = {}) {
  return operator.done('POST', `/v1/tenants/${tenant.id}/portal`, { capabilities: ['edit', 'send', 'secrets'], ...wishes });
}

/** Opens a link. With scripts its page presses its own button; where there are none, the visitor does. */
export async function enter(page, { url }, { scripts = true } = {}) {
  await page.goto(url);
  if (!scripts) await page.locator('form[data-press] button').click();
  await page.waitForURL(`${PORTAL}/webhooks`);
}

/** Opens a link as a visitor without a browser: his session's cookie. */
export async function session(tenant, wishes) {
  const { url } = await link(tenant, wishes);
  const token = url.split('/').at(-1);
  const body = new URLSearchParams({ token });
  const answer = await fetch(`${PORTAL}/enter`, { method: 'POST', body, redirect: 'manual', headers: SAME_SITE });
  const [cookie] = (answer.headers.getSetCookie()[0] ?? '').split(';');
  if (answer.status !== 303 || !cookie) throw new Error(`a link is answered ${answer.status}: ${await answer.text()}`);
  return new Visitor(cookie);
}

const SAME_SITE = { 'sec-fetch-site': 'same-origin' };

/** A visitor without a browser, who asks for whatever he likes. */
export class Visitor {
  constructor(cookie) {
    this.cookie = cookie;
  }

  async get(url) {
    return told(await fetch(url, { headers: { cookie: this.cookie, ...SAME_SITE }, redirect: 'manual', signal: AbortSignal.timeout(60_000) }));
  }

  /** Posts a form, with what else it says of itself. */
  async post(url, fields, headers = SAME_SITE) {
    const asked = { method: 'POST', body: new URLSearchParams(fields), headers: { cookie: this.cookie, ...headers } };
    return told(await fetch(url, { ...asked, redirect: 'manual', signal: AbortSignal.timeout(60_000) }));
  }

  /** What this visitor's forms carry, so that they are known to come from the portal. */
  async token() {
    const { body } = await this.get(`${PORTAL}/webhooks`);
    const [, token] = /name="form" value="(\w+)"/.exec(body) ?? [];
    if (!token) throw new Error(`no form of this page has a token: ${body}`);
    return token;
  }
}

const told = async (answer) => ({ status: answer.status, headers: answer.headers, body: await answer.text() });
