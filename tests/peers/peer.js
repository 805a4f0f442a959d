// An organisation that runs other software: made with Fedify, with its store in memory, an organisation, a person and a group.
import { createFederation, generateCryptoKeyPair, MemoryKvStore } from "@fedify/fedify";
import * as vocab from "@fedify/vocab";

const KINDS = { harbour: vocab.Organization, mara: vocab.Person, circle: vocab.Group };
const NAMES = { harbour: "Harbour Line", mara: "Mara T.", circle: "Harbour circle" };

/** What the tests may look at: activities that were verified, bodies and requests as they came in, requests that went out, objects held. */
export const store = { received: [], bodies: {}, followers: {}, objects: {}, incoming: [], outgoing: [] };

/** Activities and notes of the peer's own, by their ids: whoever is told of one may ask for it. */
export const sent = new Map();

const keys = {};

export async function makeKeys() {
  for (const name of Object.keys(KINDS)) {
    keys[name] = [await generateCryptoKeyPair("RSASSA-PKCS1-v1_5"), await generateCryptoKeyPair("Ed25519")];
  }
}

export const federation = createFederation({ kv: new MemoryKvStore(), allowPrivateAddress: true, userAgent: "harbour/1.0" });

federation
  .setActorDispatcher("/users/{identifier}", async (ctx, identifier) => {
    const kind = KINDS[identifier];
    if (!kind) return null;
    const pairs = await ctx.getActorKeyPairs(identifier);
    return new kind({
      id: ctx.getActorUri(identifier),
      preferredUsername: identifier,
      name: NAMES[identifier],
      inbox: ctx.getInboxUri(identifier),
      outbox: ctx.getOutboxUri(identifier),
      followers: ctx.getFollowersUri(identifier),
      endpoints: new vocab.Endpoints({ sharedInbox: ctx.getInboxUri() }),
      publicKey: pairs[0].cryptographicKey,
      assertionMethods: pairs.map((pair) => pair.multikey),
    });
  })
  .setKeyPairsDispatcher((_ctx, identifier) => keys[identifier] ?? [])
  .mapAlias((_ctx, resource) => (resource.pathname === "/" ? { identifier: "harbour" } : null));

for (const kind of [vocab.Create, vocab.Update, vocab.Delete]) {
  federation.setObjectDispatcher(kind, `/${kind.name}/{id}`, (ctx, values) => sent.get(ctx.getObjectUri(kind, values).href) ?? null);
}

federation.setObjectDispatcher(vocab.Note, "/notes/{id}", (ctx, values) => sent.get(ctx.getObjectUri(vocab.Note, values).href) ?? null);

federation.setFollowersDispatcher("/users/{identifier}/followers", (_ctx, identifier) => ({
  items: Object.entries(store.followers[identifier] ?? {}).map(([id, inbox]) => ({ id: new URL(id), inboxId: new URL(inbox) })),
}));
federation.setOutboxDispatcher("/users/{identifier}/outbox", () => ({ items: [] }));

federation
  .setInboxListeners("/users/{identifier}/inbox", "/inbox")
  .setSharedKeyDispatcher(() => ({ identifier: "harbour" }))
  .on(vocab.Follow, async (ctx, follow) => {
    await keep(ctx, follow);
    const target = ctx.parseUri(follow.objectId);
    const follower = await follow.getActor(ctx);
    if (target?.type !== "actor" || !follower?.inboxId) return;
    (store.followers[target.identifier] ??= {})[follower.id.href] = follower.inboxId.href;
    const accept = new vocab.Accept({ id: newId(ctx, "activities"), actor: follow.objectId, object: follow });
    await ctx.sendActivity({ identifier: target.identifier }, follower, accept, { immediate: true });
  })
  .on(vocab.Undo, async (ctx, undo) => {
    await keep(ctx, undo);
    for (const followers of Object.values(store.followers)) delete followers[undo.actorId.href];
  })
  .on(vocab.Announce, async (ctx, announce) => {
    await keep(ctx, announce);
    await apply(ctx, await announce.getObject(ctx));
  })
  .on(vocab.Activity, keep)
  .onError((_ctx, error) => console.error("listener:", error));

/** A group passes an activity on: its object is held, held anew, or held no longer. */
async function apply(ctx, activity) {
  if (activity instanceof vocab.Create || activity instanceof vocab.Update) {
    const object = await activity.getObject(ctx);
    if (object?.id) store.objects[object.id.href] = String(object.content);
  } else if (activity instanceof vocab.Delete) {
    delete store.objects[activity.objectId?.href];
  }
}

async function keep(ctx, activity) {
  store.received.push(await activity.toJsonLd({ ...ctx, format: "compact" }));
}

export function newId(ctx, folder) {
  return new URL(`/${folder}/${crypto.randomUUID()}`, ctx.origin);
}

/** Which form of signature a request carries. */
export function form(headers) {
  if (headers.has("signature-input")) return "RFC 9421";
  return headers.has("signature") ? "draft-cavage" : "unsigned";
}

const plainFetch = globalThis.fetch;
globalThis.fetch = async (input, init) => {
  const request = new Request(input, init);
  const { method, url, headers } = request;
  const answer = await plainFetch(request);
  store.outgoing.push({ method, url, form: form(headers), status: answer.status });
  return answer;
};
