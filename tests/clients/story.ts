// A customer's program on the client that was made in TypeScript: register, publish, look up, retry, rotate; and a mistake.

import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";
import createClient from "openapi-fetch";
import type { components, paths } from "./postrider.js";

const WITHIN = 60_000;
const api = createClient<paths>({
  baseUrl: process.env.API_URL,
  headers: { Authorization: `Bearer ${process.env.API_KEY}` },
});

async function main(): Promise<void> {
  const webhook = there(
    await api.POST("/v1/webhooks/create", { body: { url: process.env.HOOK!, events: ["invoice.*"] } }),
  );
  const event = there(await api.POST("/v1/events", { body: { event: "invoice.paid", data: { invoice: 4711 } } }));
  const delivery = await delivered(await firstDelivery(event.id), 1);
  assert.equal(delivery.webhook_id, webhook.id);
  there(await api.POST("/v1/deliveries/{id}/retry", { params: { path: { id: delivery.id } }, body: {} }));
  await delivered(delivery.id, 2);
  const place = { params: { path: { id: webhook.id } } };
  const rotated = there(await api.POST("/v1/webhooks/{id}/secret/rotate", { ...place, body: { grace_seconds: 60 } }));
  assert.notEqual(rotated.secret, webhook.secret);
  const mistaken = await api.GET("/v1/webhooks/{id}", { params: { path: { id: "wh_0000000000000000" } } });
  assert(mistaken.error && "error" in mistaken.error);
  assert.equal(mistaken.error.error.code, "not_found");
  console.log(JSON.stringify({ event: event.id, secret: webhook.secret, created_at: webhook.created_at }));
}

function there<T>(answer: { data?: T; error?: unknown }): T {
  assert(answer.data !== undefined, JSON.stringify(answer.error));
  return answer.data;
}

async function firstDelivery(id: string): Promise<string> {
  return until(async () => {
    const event = there(await api.GET("/v1/events/{id}", { params: { path: { id } } }));
    return event.deliveries[0]?.id;
  });
}

async function delivered(id: string, attempts: number): Promise<components["schemas"]["Delivery"]> {
  return until(async () => {
    const delivery = there(await api.GET("/v1/deliveries/{id}", { params: { path: { id } } }));
    return delivery.status === "succeeded" && delivery.attempts.length === attempts ? delivery : undefined;
  });
}

async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (const deadline = Date.now() + WITHIN; Date.now() < deadline; await setTimeout(100)) {
    const found = await look();
    if (found !== undefined) return found;
  }
  throw new Error("it did not come");
}

await main();
