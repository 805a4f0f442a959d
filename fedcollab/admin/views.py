"""Decides what admins do on pages: partners and their queues, applications."""

from aiohttp import web

from fedcollab.base.errors import FedcollabError, N_
from fedcollab.base.web import read_form, redirect, words_of
from fedcollab.feature import admin_of, page
from fedcollab.federation.kernel import KERNEL

from . import partners
from .reasons import explained, why_not_added
from .status import status

ACTIONS = {
    "node.init": N_("Node set up"),
    "node.restore": N_("Node restored from a backup"),
    "node.close": N_("Node closed to work on it"),
    "node.open": N_("Node opened again"),
    "node.key_on_paper": N_("Printed key read from its paper and compared"),
    "node.settings": N_("Settings of the node changed"),
    "node.cases_on": N_("Cases switched on"),
    "keeper.name": N_("Keeper named"),
    "keeper.begin": N_("Organisation's key made by the first keeper"),
    "keeper.hand": N_("Organisation's key handed to a keeper"),
    "keeper.remove": N_("Keeper removed, organisation's key turned"),
    "keeper.done": N_("Keeper's task done"),
    "room.invited": N_("Invited to a sealed room"),
    "room.key": N_("New key of a sealed room known"),
    "room.said": N_("Something said about a sealed room by its members"),
    "room.message": N_("Sealed message arrived"),
    "room.send": N_("Sealed message sent"),
    "room.take_back": N_("Sealed message taken back"),
    "room.erased": N_("Sealed message erased"),
    "room.box": N_("Key of a sealed room handed to a member"),
    "room.box_came": N_("Key of a sealed room came"),
    "sheets.make": N_("Three sheets made that open the organisation's key"),
    "sheets.try": N_("Two sheets tried"),
    "sheets.use": N_("Two sheets used to open the organisation's key"),
    "partner.sealing_key": N_("Key of a partner's organisation for cases known"),
    "partner.sealing_key_gone": N_("A partner's organisation has no key for cases any more that can be believed"),
    "audit.verify": N_("Whole record read and its chain checked"),
    "audit.export": N_("Record exported"),
    "partner.add": N_("Partner added to the list"),
    "partner.admitted": N_("Partner admitted"),
    "partner.refused": N_("Partner refused"),
    "partner.suspended": N_("Partner suspended"),
    "partner.blocked": N_("Partner blocked"),
    "partner.left": N_("Partner removed"),
    "partner.checked": N_("Words compared with a partner's admin"),
    "partner.rechecked": N_("Words compared again, new keys of a partner believed"),
    "partner.keys_offered": N_("New keys of a partner wait, signed by the old ones"),
    "partner.keys_differ": N_("A partner's node shows other keys than those known"),
    "partner.keys_accepted": N_("New keys of a partner accepted"),
    "partner.keys_changed": N_("A partner's old keys ended"),
    "partner.old_key": N_("A request signed by a partner's old key refused"),
    "partner.allow": N_("What a partner may take part in changed"),
    "partner.pause": N_("Sending to a partner paused"),
    "partner.resume": N_("Sending to a partner resumed"),
    "partner.vouch": N_("Vouched for a partner"),
    "partner.unvouch": N_("No longer vouching for a partner"),
    "key.rotate": N_("New keys of this node published"),
    "key.changed": N_("This node signs with its new keys"),
    "key.new": N_("Lost keys of this node replaced"),
    "partner.outside": N_("Server outside heard for the first time"),
    "organisation.block": N_("Organisation blocked"),
    "organisation.unblock": N_("Organisation no longer blocked"),
    "group.create": N_("Group made"),
    "post.create": N_("Post written"),
    "post.edit": N_("Post changed"),
    "post.delete": N_("Post deleted"),
    "post.receive": N_("Post received from a partner"),
    "post.receive_edit": N_("Change of a post received from a partner"),
    "post.receive_delete": N_("Deletion of a post received from a partner"),
    "file.upload": N_("File uploaded"),
    "file.gone": N_("File taken away that nothing held any more"),
    "file.again": N_("Refused file of a partner fetched again"),
    "group.narrow": N_("Public group narrowed to partners"),
    "resource.add": N_("Resource added to the library"),
    "resource.import": N_("Import into the library begun"),
    "resource.edit": N_("Record of a resource changed"),
    "resource.version": N_("New version of a resource added"),
    "resource.withdraw": N_("Resource withdrawn"),
    "resource.delete": N_("Resource deleted"),
    "resource.translate": N_("Resource named as a translation of another"),
    "resource.untranslate": N_("Resource no longer named as a translation of another"),
    "list.add": N_("Reading list made"),
    "list.change": N_("Reading list changed"),
    "list.delete": N_("Reading list deleted"),
    "resource.receive": N_("Record received from a partner"),
    "resource.receive_delete": N_("Deletion of a record received from a partner"),
    "note.add": N_("Note on a resource written"),
    "note.edit": N_("Note on a resource changed"),
    "note.delete": N_("Note on a resource deleted"),
    "note.remove": N_("Note on a resource removed by a moderator"),
    "note.receive": N_("Note on a resource received from a partner"),
    "note.receive_delete": N_("Deletion of a note received from a partner"),
    "note.receive_remove": N_("Removal of a note received from its resource's publisher"),
    "resource.widen": N_("Label of a resource widened"),
    "resource.narrow": N_("Label of a resource narrowed"),
    "queue.retry": N_("Deliveries sent again"),
    "queue.drop": N_("Deliveries put away"),
    "queue.pause": N_("Sending paused"),
    "queue.resume": N_("Sending taken up again"),
    "queue.resync": N_("Partner asked for what we may have missed"),
    "partner.away": N_("Partner suspended: 45 days without an answer"),
    "post.remove": N_("Post removed by a moderator"),
    "node.rollback": N_("Went back to the database from before an upgrade"),
    "post.restore": N_("Post restored by a moderator"),
    "post.hide": N_("Post of another organisation's group hidden here"),
    "post.show": N_("Post of another organisation's group shown again"),
    "post.refuse": N_("Answer to a locked conversation not taken"),
    "post.receive_remove": N_("Removal of a post received from its group"),
    "post.receive_restore": N_("Restoring of a post received from its group"),
    "post.receive_refusal": N_("Answer not taken by its group's host"),
    "thread.lock": N_("Conversation locked"),
    "resource.tie": N_("Conversation about a resource opened"),
    "thread.to_library": N_("Conversation closed into the library"),
    "story.write": N_("Story written down or changed"),
    "story.check": N_("Story checked and put into the library"),
    "story.renew": N_("Person of a story asked again"),
    "story.code": N_("New code made for a story"),
    "story.take_back": N_("Story taken back by its person, in whole or in part"),
    "story.withdraw": N_("Story withdrawn by us"),
    "story.run_out": N_("Consent to a story ran out"),
    "thread.unlock": N_("Conversation opened again"),
    "thread.receive_lock": N_("Lock of a conversation received from its group"),
    "thread.receive_unlock": N_("Opening of a conversation received from its group"),
    "flag.make": N_("Report made by a member"),
    "flag.receive": N_("Report received from a partner"),
    "flag.close": N_("Reports of a post answered"),
    "flag.answer": N_("Answer to a report received"),
    "post.thank": N_("Thanks said"),
    "post.unthank": N_("Thanks taken back"),
    "post.receive_thanks": N_("Thanks received"),
    "post.receive_unthank": N_("Thanks taken back elsewhere"),
    "group.follow": N_("Group of another server followed"),
    "member.add": N_("Member added"),
    "member.invite": N_("Invitation link made"),
    "member.link": N_("One-time link made"),
    "member.link_used": N_("One-time link used"),
    "member.roles": N_("Roles changed"),
    "member.disable": N_("Member disabled"),
    "member.password": N_("Password changed"),
    "member.factor_on": N_("Second factor set up"),
    "member.factor_off": N_("Second factor switched off"),
    "member.factor_reset": N_("Second factor reset"),
    "member.passkey_add": N_("Passkey added"),
    "member.passkey_remove": N_("Passkey removed"),
    "member.passkey_backwards": N_("Passkey refused that may have been copied"),
    "member.recovery_codes": N_("Recovery codes made anew"),
    "member.recovery_code": N_("Recovery code used"),
    "key.make": N_("Key of a person made"),
    "key.code": N_("Paper for a key made"),
    "key.recovered": N_("Key taken over by its paper"),
    "key.renew": N_("Key of a person replaced by a new one"),
    "key.anew": N_("New key made without the old one; it waits for a keeper"),
    "key.confirm": N_("Key of a partner's person confirmed by its words"),
    "key.readmit": N_("New key of a person confirmed by a keeper"),
    "token.create": N_("Token for a tool made"),
    "token.revoke": N_("Token for a tool revoked"),
}


async def show_partners(request: web.Request) -> web.Response:
    """All partners with their last success and error, and who asks to become one."""
    admin_of(request)
    return await _page(request, "", "")


async def _page(request: web.Request, address: str, error: str) -> web.Response:
    found, words = await request.app[KERNEL].database.read(status), words_of(request)
    return page(
        request,
        "admin/partners.html",
        status=422 if error else 200,
        **found,
        address=address,
        errors={"address": error} if error else {},
        explained=lambda reason: explained(reason, words),
    )


async def add_partner(request: web.Request) -> web.Response:
    """Fetches an organisation and lists it as applied; its own page comes next, with the words to compare."""
    viewer, fields = admin_of(request), await read_form(request)
    address = fields.get("address", "").strip()
    try:
        added = await partners.add(request.app[KERNEL], viewer, address)
    except FedcollabError as error:
        return await _page(request, address, why_not_added(error, words_of(request)))
    return redirect(f"/admin/partners/{added.id}")
