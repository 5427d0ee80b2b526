// A tenant of whose things every page has something to show.

import { randomUUID } from 'node:crypto';

import { Caller, operator, publisher, tenant } from './stack.mjs';
import { until } from './until.mjs';

/** A text that breaks out of an element, an attribute, a comment or a script where it is not written as text. */
export const hostile = (place) => `${place} --></script>'"><script>alert(1)</script><img src=x onerror=alert(2)><svg onload=alert(3)>`.slice(0, 127);

/** As many events as fill more than a page of a list. */
const MANY = 25;

/**
 * `word` says what stands wherever somebody may write what he likes: it is given the place's name. The events are of a type of the
 * catalogue, which all tenants see, and the one webhook of three that fails is failing for good.
 */
export async function filled(receiver, word, { dialect = 'standard' } = {}) {
  const made = await tenant({ dialect, name: word('tenant') });
  const { customer } = made;
  const provider = await publisher();
  const type = `portal.t${randomUUID().slice(0, 8)}`;
  await operator.done('POST', '/v1/event-types', {
    name: type,
    description: word('type'),
    schema: { type: 'object', description: word('schema'), properties: { note: { type: 'string', description: word('property') } } },
    example: { note: word('example') },
  });
  const path = `/${made.id}`;
  receiver.answers_with(`${path}/fails`, 500, { body: word('excerpt'), headers: { 'x-told': word('answer').replaceAll(/[^ -~]/g, '') } });
  const webhook = (where, more) => customer.done('POST', '/v1/webhooks/create', { url: receiver.url(`${path}/${where}`), events: [type], ...more });
  const well = await webhook('well', {
    name: word('webhook'),
    description: word('description'),
    headers: { 'x-team': word('header').replaceAll(/[^ -~]/g, '') },
    metadata: { note: word('metadata') },
    filter: { data: { note: [{ prefix: '' }, word('filter')] } },
    rate_limit: 100,
  });
  const fails = await webhook('fails', { name: word('failing webhook'), retry_schedule: [] });
  const off = await webhook('off', { name: word('webhook that is off') });
  await customer.done('PATCH', `/v1/webhooks/${off.id}`, { status: 'disabled' });
  const events = Array.from({ length: MANY }, (_, number) => ({
    tenant_id: made.id,
    event: type,
    data: { number, note: word('data'), [word('key')]: [word('list'), { deep: null }] },
    tags: { note: word('tag').slice(0, 64) },
  }));
  const { results } = await provider.done('POST', '/v1/events/batch', { events });
  await Promise.all([receiver.until(`${path}/well`, MANY), receiver.until(`${path}/fails`, MANY)]);
  const failed = await until('all that fails is on record', async () => {
    const { deliveries } = await customer.done('GET', `/v1/webhooks/${fails.id}/deliveries?status=failed&limit=100`);
    return deliveries.length === MANY && deliveries;
  });
  return { ...made, type, path, well, fails, off, failed: failed.map((one) => one.id), events: results.map((one) => one.id) };
}

/** A tenant whose jobs have come as far as jobs come, of both kinds: one waits, one has failed, and one has ended well, as its webhook was
 * told. */
export async function working(receiver, word) {
  const made = await tenant({ dialect: 'nouvel', name: word('tenant') });
  const { customer } = made;
  const { key } = await operator.done('POST', `/v1/tenants/${made.id}/keys`, { dialect: 'netraflow' });
  const other = new Caller(key, 'x-api-key');
  const worker = new Caller((await operator.done('POST', '/v1/keys', { scopes: ['jobs:report'], name: 'worker' })).key);
  const hook = (where) => receiver.url(`/${made.id}/${where}`);
  const body = (where) => ({ urls: ['https://shop.example/products/1'], variantCount: 2, webhookUrl: hook(where) });
  const generations = [];
  for (const where of ['waits', 'generated']) {
    const { jobId } = await customer.done('POST', '/api/v1/generate', body(where));
    const { projects } = await customer.done('GET', `/api/v1/jobs/${jobId}`);
    generations.push({ id: jobId, projects });
  }
  const [, ended] = generations;
  const [good, bad] = ended.projects.map(({ id }) => id);
  const reports = [{ projectId: good, status: 'completed', videoUrl: 'https://cdn.example/video.mp4' }, { projectId: bad, status: 'failed' }];
  await worker.done('POST', `/api/v1/jobs/${ended.id}/report`, { projects: reports });
  const task = { url: 'https://videos.example/1', capabilities: ['transcription'], webhook_url: hook('task') };
  const { data } = await other.done('POST', '/v1/jobs', task);
  await worker.done('POST', `/v1/jobs/${data.job_id}/report`, { status: 'failed' });
  await Promise.all([receiver.until(`/${made.id}/generated`, 1), receiver.until(`/${made.id}/task`, 1)]);
  return { ...made, jobs: [...generations.map(({ id }) => id), data.job_id] };
}
