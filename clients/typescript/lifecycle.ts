// The life of a picture, with the client that is generated from the API's document. Environment: API_URL, ACCESS_TOKEN,
// PICTURE (a JPEG file).

import { createHash, randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import createClient, { type Middleware } from "openapi-fetch";
import { listMedia } from "./orval.js";
import type { components, paths } from "./schema.js";

type Schemas = components["schemas"];

const environment = (name: string): string => {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
};

// In an app: renews the token before it expires.
const authorize: Middleware = {
  onRequest({ request }) {
    request.headers.set("Authorization", `Bearer ${environment("ACCESS_TOKEN")}`);
    return request;
  },
};
const api = createClient<paths>({ baseUrl: environment("API_URL") });
api.use(authorize);

// One type of error, whether the gateway or a function sends it.
function data<T>(result: { data?: T; error?: Schemas["Problem"]; response: Response }): T {
  if (result.data !== undefined) return result.data;
  const { status } = result.response;
  throw new Error(`${status}: ${result.error?.detail ?? result.error?.title ?? result.error?.message}`);
}

function check(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(what);
}

const checksum = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("base64");

async function send(part: Schemas["SignedPart"], bytes: Uint8Array): Promise<void> {
  const { "content-length": _, ...headers } = part.headers;
  const response = await fetch(part.url, { method: part.method, headers, body: Buffer.from(bytes) });
  check(response.ok, `S3 returned ${response.status}`);
}

// Starts an upload in parts. The handle is all that an app must keep to resume it.
async function start(file: Uint8Array): Promise<string> {
  const body = {
    kind: "photo",
    contentType: "image/jpeg",
    size: file.length,
    checksum: checksum(file),
    visibility: "followers",
    inParts: true,
  } as const;
  const headers = { "Idempotency-Key": randomUUID() };
  const upload = data(await api.POST("/v1/uploads", { body, params: { header: headers } }));
  check(upload.handle !== undefined, "the upload has no handle");
  return upload.handle;
}

// Sends what is missing; also after an interruption.
async function resume(handle: string, file: Uint8Array, progress: (sent: number) => void): Promise<string> {
  const upload = data(await api.GET("/v1/uploads/{handle}", { params: { path: { handle } } }));
  if (upload.way === "done") return upload.mediaId;
  const { partSize, parts, landed } = upload;
  check(partSize !== undefined && parts !== undefined && landed !== undefined, "the upload is not in parts");
  const bytesOf = (number: number) => file.subarray((number - 1) * partSize, number * partSize);
  const path = { id: upload.id };
  for (let number = 1; number <= parts; number++) {
    if (!landed.some((part) => part.number === number)) {
      const wanted = { handle, parts: [{ number, checksum: checksum(bytesOf(number)) }] };
      const signed = data(await api.POST("/v1/uploads/{id}/parts", { params: { path }, body: wanted }));
      for (const part of signed.parts) await send(part, bytesOf(part.number));
    }
    progress(number / parts);
  }
  return data(await api.POST("/v1/uploads/{id}/complete", { params: { path }, body: { handle } })).mediaId;
}

async function ready(id: string): Promise<Schemas["MediaItem"]> {
  for (let attempt = 0; attempt < 600; attempt++) {
    const { data: item, response } = await api.GET("/v1/media/{id}", { params: { path: { id } } });
    check(response.status === 200 || response.status === 404, `the item: ${response.status}`);
    if (item !== undefined && item.state !== "processing") return item;
    await new Promise((later) => setTimeout(later, 200));
  }
  throw new Error("the item is not processed");
}

const file = await readFile(environment("PICTURE"));
const handle = await start(file);
const id = await resume(handle, file, (sent) => console.log(`sent ${Math.round(100 * sent)} %`));
check((await resume(handle, file, () => {})) === id, "the upload is not done");
const item = await ready(id);
check(item.state === "ready" && item.variants !== undefined && item.variants.length > 0, "the item has no variants");
for (const variant of item.variants) check((await fetch(variant.url)).ok, variant.url);
console.log(`ready, ${item.width} x ${item.height}`);

const page = data(await api.GET("/v1/media", { params: { query: { kind: "photo", limit: 1, fields: [] } } }));
check(page.items[0]?.id === id && page.items[0].owner === item.owner, "the list has another item");
// The same with the client of orval.
const headers = { Authorization: `Bearer ${environment("ACCESS_TOKEN")}` };
const same = await listMedia({ kind: "photo", limit: 1 }, { headers });
check(same.status === 200 && same.data.items[0]?.variants?.length === item.variants.length, "orval reads another item");
const batch = data(await api.POST("/v1/media/batch", { body: { ids: [id], fields: [] } }));
check(batch.items.length === 1, "the batch has another item");
const missing = await api.GET("/v1/media/{id}", { params: { path: { id: "7ZZZZZZZZZZZZZZZZZZZZZZZZZ" } } });
check(missing.error?.type === "urn:iyagi:problem:not-found", "an unknown item is found");

const device = { token: `typescript-${randomUUID()}`, platform: "android", language: "ko" } as const;
data(await api.PUT("/v1/devices/{id}", { params: { path: { id: "phone" } }, body: device }));
data(await api.PUT("/v1/notification-preferences", { body: { muted: ["likes"], hideContent: true } }));
const inbox = data(await api.GET("/v1/notifications", { params: { query: { limit: 20 } } }));
const latest = inbox.items[0]?.updatedAt ?? new Date().toISOString();
check(data(await api.PUT("/v1/notifications/read", { body: { through: latest } })).unread === 0, "still unread");
data(await api.GET("/v1/search", { params: { query: { q: "첫눈" } } }));

// A copy of everything about the user, with the picture.
const pause = () => new Promise((later) => setTimeout(later, 1000));
let copy = data(await api.POST("/v1/me/exports"));
for (; copy.state === "pending"; await pause()) {
  copy = data(await api.GET("/v1/me/exports/{id}", { params: { path: { id: copy.id } } }));
}
check(copy.state === "ready" && copy.url !== undefined, `the copy is ${copy.state}`);
const zip = await (await fetch(copy.url)).arrayBuffer();
check(zip.byteLength === copy.bytes && copy.files === 1, "the copy is not complete");
console.log(`a copy of ${zip.byteLength} bytes`);

const deleted = await api.DELETE("/v1/media/{id}", { params: { path: { id } } });
check(deleted.response.status === 204, `the deletion: ${deleted.response.status}`);
const erasure = data(await api.DELETE("/v1/me"));
check(erasure.steps > erasure.stepsDone, "the erasure is over");
while (data(await api.GET("/v1/me/erasure")).state !== "finished") await new Promise((later) => setTimeout(later, 200));
console.log("erased");
