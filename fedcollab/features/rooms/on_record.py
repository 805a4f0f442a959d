"""Decides how people in a sealed group read its record: who read, wrote, invited, took along and was handed keys, in words, and who vouches
for it."""

from aiohttp import web

from fedcollab.base.errors import N_
from fedcollab.federation.kernel import KERNEL
from fedcollab.sealing import record_words, room_record

from .pages import GROUP, show
from .units import here_of

ACTS = record_words.ACTS | {  # %(who)s has done it, %(what)s is to whom
    "sealed.open": N_("%(who)s opened the group, for the first time on that day."),
    "sealed.read": N_("%(who)s read in the group."),
    "sealed.export": N_("%(who)s took a signed copy of the group along."),
    "sealed.turn": N_("%(who)s had a new key made by hand."),
    "sealed.hand_over": N_("%(who)s handed managing the group over to %(what)s."),
    "room.found": N_("%(who)s began the group."),
    "room.accept": N_("%(who)s accepted the invitation to this group."),
    "room.decline": N_("%(who)s declined the invitation to this group."),
    "room.invited": N_("%(who)s invited us to this group."),
    "room.leave": N_("%(who)s left the group for our organisation."),
    "room.deputies": N_("%(who)s named who may take the group over."),
    "room.close": N_("%(who)s closed the group."),
    "room.purge": N_("%(who)s purged the group."),
    "room.assign": N_("%(who)s put %(what)s in the group."),
    "room.unassign": N_("%(who)s took %(what)s out of the group."),
    "room.box_made": N_("%(who)s made a key of the group ready for a member."),
    "room.box": N_("%(who)s was handed a key of the group."),
    "room.box_came": N_("%(who)s was handed a key of the group by another member."),
    "room.said": N_("%(who)s said something of its part in the group."),
    "room.hold": N_("%(who)s held the group back from its end."),
    "room.lift": N_("%(who)s let the group go to its end again."),
    "room.gone": N_("%(who)s has what was sealed in the group no more."),
    "room.box_shut": N_("%(who)s found a key of the group that does not open, and asked for it again."),
    "room.open_as_keeper": N_("%(who)s opened the group as a keeper, for what its members wait for."),
    "room.ask_again": N_("%(who)s had a key of the group asked for once more."),
    "room.hand": N_("%(who)s handed the keys of the group to %(what)s again."),
    "room.back": N_("%(who)s agreed that a deputy takes the group over."),
    "room.take_over": N_("%(who)s took the group over as its deputy."),
    "room.hand_back": N_("%(who)s handed managing the group over to %(what)s."),
    "room.rewritten": N_("%(who)s changed its own record of this group afterwards, or lost the end of it."),
}


async def show_record(request: web.Request) -> web.Response:
    """The record of a group, newest first, all of it or one person's."""
    here, kernel = await here_of(request), request.app[KERNEL]
    who, before = room_record.asked(request.query)
    found = await kernel.database.read(room_record.look, kernel.node, here.id, here.opened.room, who, before)
    return show(request, here, "rooms/record.html", found=found, who=who, before=before, ACTS=ACTS)


ROUTES = (web.get(GROUP + "/record", show_record),)
