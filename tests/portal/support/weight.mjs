// What a page weighs on its way to a browser that has nothing of it yet.

/** The bytes of all bodies as they come over the wire, by what they are for, once the page asks for nothing more. */
export async function weighed(page, url) {
  const client = await page.context().newCDPSession(page);
  await client.send('Network.enable');
  await client.send('Network.setCacheDisabled', { cacheDisabled: true });
  const came = [];
  const note = (request) => came.push(request);
  page.on('requestfinished', note);
  await page.goto(url, { waitUntil: 'networkidle' });
  page.off('requestfinished', note);
  const weights = {};
  for (const request of came) {
    const { responseBodySize } = await request.sizes();
    weights[request.resourceType()] = (weights[request.resourceType()] ?? 0) + responseBodySize;
  }
  await client.detach();
  return { ...weights, all: Object.values(weights).reduce((sum, one) => sum + one, 0) };
}
