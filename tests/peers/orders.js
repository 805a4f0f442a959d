// What the tests can have the peer do: look somebody up, follow, post, change, delete, pass on, and send what is wrong in one way.
import { detachSignature, signObject, signRequest, verifyObject } from "@fedify/fedify";
import * as vocab from "@fedify/vocab";
import { Temporal } from "@js-temporal/polyfill";
import { newId, sent, store } from "./peer.js";

const mine = {}; // how the person's notes were asked for, by their ids

/** Sends at once; answers each request that this took, with the form of its signature and its status. */
async function send(ctx, from, inbox, activity) {
  const before = store.outgoing.length;
  const recipient = { id: new URL(inbox), inboxId: new URL(inbox) };
  let error = "";
  try {
    await ctx.sendActivity({ identifier: from }, recipient, activity, { immediate: true });
  } catch (caught) {
    error = String(caught);
  }
  return { id: activity.id.href, error, knocks: store.outgoing.slice(before).filter((sent) => sent.method === "POST") };
}

function activity(ctx, kind, from, object, to) {
  const made = new kind({ id: newId(ctx, kind.name), actor: ctx.getActorUri(from), object, tos: to ? [new URL(to)] : [] });
  sent.set(made.id.href, made);
  return made;
}

function note(ctx, { id, group, text, inReplyTo, updated }) {
  const made = new vocab.Note({
    id: id ? new URL(id) : newId(ctx, "notes"),
    attribution: ctx.getActorUri("mara"),
    content: text,
    audience: new URL(group),
    tos: [new URL(`${group}/followers`)],
    replyTarget: inReplyTo ? new URL(inReplyTo) : null,
    published: Temporal.Now.instant(),
    updated: updated ? Temporal.Now.instant() : null,
  });
  sent.set(made.id.href, made);
  return made;
}

/** The person's activity to a group, with its proof or without. */
async function toGroup(ctx, kind, object, group, { proved }) {
  const made = activity(ctx, kind, "mara", object, `${group}/followers`);
  const [, ed] = await ctx.getActorKeyPairs("mara");
  return proved ? await signObject(made, ed.privateKey, ed.multikey.id, ctx) : made;
}

const BREAKS = {
  good: {},
  tampered: { body: (text) => text.replace("as it was sent", "as it was changed") },
  "wrong digest": { headers: (headers) => headers.forEach((value, name) => /digest$/.test(name) && headers.set(name, otherDigest(value))) },
  "another's key": { signer: "circle" },
  unsigned: { signer: null, proved: false },
  "proof alone": { signer: null },
};

function otherDigest(value) {
  return value.replace(/[A-Za-z0-9+/]{43}=/, `${"A".repeat(43)}=`);
}

export const orders = {
  seen: () => store,

  /** Somebody or something by its id, with a signed GET, and WebFinger of the id. A handle would be asked for by https alone. */
  async lookup(ctx, { uri }) {
    const documentLoader = await ctx.getDocumentLoader({ identifier: "harbour" });
    const found = await ctx.lookupObject(uri, { documentLoader });
    const webfinger = await ctx.lookupWebFinger(uri, { allowPrivateAddress: true });
    return { object: found && (await found.toJsonLd({ ...ctx, format: "compact" })), webfinger };
  },

  follow: (ctx, { target, inbox }) => send(ctx, "harbour", inbox, activity(ctx, vocab.Follow, "harbour", new URL(target))),

  unfollow(ctx, { target, inbox, follow }) {
    const object = new vocab.Follow({ id: new URL(follow), actor: ctx.getActorUri("harbour"), object: new URL(target) });
    return send(ctx, "harbour", inbox, activity(ctx, vocab.Undo, "harbour", object));
  },

  async create(ctx, asked) {
    const made = note(ctx, asked);
    mine[made.id.href] = asked;
    return { ...(await send(ctx, "mara", asked.inbox, await toGroup(ctx, vocab.Create, made, asked.group, {}))), note: made.id.href };
  },

  async update(ctx, { note: id, text }) {
    const { group, inbox } = mine[id];
    const changed = note(ctx, { ...mine[id], id, text, updated: true });
    return send(ctx, "mara", inbox, await toGroup(ctx, vocab.Update, changed, group, {}));
  },

  async delete(ctx, { note: id }) {
    const { group, inbox } = mine[id];
    return send(ctx, "mara", inbox, await toGroup(ctx, vocab.Delete, new vocab.Tombstone({ id: new URL(id) }), group, {}));
  },

  /** The peer's own group passes on what the person wrote in it. */
  async announce(ctx, { inbox, text }) {
    const group = ctx.getActorUri("circle").href;
    const made = note(ctx, { group, text });
    const create = await toGroup(ctx, vocab.Create, made, group, { proved: true });
    return { ...(await send(ctx, "circle", inbox, activity(ctx, vocab.Announce, "circle", create, `${group}/followers`))), note: made.id.href };
  },

  /** A Create that is broken in one way, in one form of signature: how it was answered. */
  async broken(ctx, { inbox, group, how, spec }) {
    const { body, headers, signer = "mara", proved = true } = BREAKS[how];
    const made = note(ctx, { group, text: "<p>as it was sent</p>" });
    const text = JSON.stringify(await (await toGroup(ctx, vocab.Create, made, group, { proved })).toJsonLd(ctx));
    let request = new Request(inbox, { method: "POST", body: text, headers: { "Content-Type": "application/activity+json" } });
    if (signer) {
      const [{ keyId }] = await ctx.getActorKeyPairs("mara");
      const [{ privateKey }] = await ctx.getActorKeyPairs(signer);
      request = await signRequest(request, privateKey, keyId, { spec });
    }
    const sent = new Headers(request.headers);
    headers?.(sent);
    const answer = await fetch(inbox, { method: "POST", body: body?.(text) ?? text, headers: sent });
    return { note: made.id.href, status: answer.status };
  },

  /** Whether the peer believes an activity by its proof alone. */
  async verify(ctx, { activity: document }) {
    const options = { documentLoader: await ctx.getDocumentLoader({ identifier: "harbour" }), contextLoader: ctx.contextLoader };
    return { believed: (await verifyObject(vocab.Activity, detachSignature(document), options)) !== null };
  },
};
