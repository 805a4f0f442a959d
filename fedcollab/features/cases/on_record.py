"""Decides how people on a case read its record: who read, exported, shared and was handed keys, in words, and who vouches for it."""

from aiohttp import web

from fedcollab.base.errors import N_
from fedcollab.federation.kernel import KERNEL
from fedcollab.sealing import record_words, room_record

from .acting import desk_of
from .framing import CASE, RECORD, show

ACTS = record_words.ACTS | {  # %(who)s has done it, %(what)s is to whom
    "case.read": N_("%(who)s read the case."),
    "case.export": N_("%(who)s took a signed copy of the case along."),
    "case.need": N_("%(who)s changed what %(what)s needs to know."),
    "case.share": N_("%(who)s noted on which ground the case is shared with %(what)s."),
    "referral.send": N_("%(who)s referred a person to another organisation."),
    "referral.open": N_("%(who)s showed what is seen of a referral before the answer, by its link and code."),
    "referral.shut": N_("%(who)s shut the link of a referral: its code was typed wrong too often."),
    "referral.accept": N_("%(who)s said yes to a referral."),
    "referral.decline": N_("%(who)s noted that a referral was declined, by its link and code."),
    "referral.said": N_("%(who)s answered or finished a referral."),
    "referral.take_back": N_("%(who)s took a referral back."),
    "referral.done": N_("%(who)s said how a referral came out."),
    "referral.late": N_("%(who)s noted that a referral was not answered by its day."),
    "consent.given": N_("%(who)s gave something on a consent, which ends with it."),
    "consent.withdrawn": N_("%(who)s said that a consent is withdrawn: nothing more goes out on it."),
    "consent.ended": N_("%(who)s ended what was given on a consent whose day is over."),
    "consent.erased": N_("%(who)s erased what was given on a consent that has ended."),
    "consent.kept": N_("%(who)s keeps what was given on a consent that has ended, on a ground of our own."),
    "consent.answered": N_("%(who)s said what it did with what was given on a consent that has ended."),
    "guest.invite": N_("%(who)s asked a guest in."),
    "guest.decline": N_("%(who)s noted that a guest does not come."),
    "guest.join": N_("%(who)s came as a guest."),
    "guest.let_in": N_("%(who)s let %(what)s in as a guest."),
    "guest.end": N_("%(who)s ended a guest."),
    "room.found": N_("%(who)s opened the case."),
    "room.accept": N_("%(who)s accepted the invitation to this case."),
    "room.decline": N_("%(who)s declined the invitation to this case."),
    "room.invited": N_("%(who)s invited us to this case."),
    "room.leave": N_("%(who)s left the case for our organisation."),
    "room.deputies": N_("%(who)s named who may take over managing access."),
    "room.close": N_("%(who)s closed the case."),
    "room.purge": N_("%(who)s purged the case."),
    "room.assign": N_("%(who)s put %(what)s on the case."),
    "room.unassign": N_("%(who)s took %(what)s off the case."),
    "room.box_made": N_("%(who)s made a key of the case ready for a member."),
    "room.box": N_("%(who)s was handed a key of the case."),
    "room.box_came": N_("%(who)s was handed a key of the case by another member."),
    "room.said": N_("%(who)s said something of its part in the case."),
    "room.hold": N_("%(who)s held the case back from its end."),
    "room.lift": N_("%(who)s let the case go to its end again."),
    "room.gone": N_("%(who)s has what was sealed in the case no more."),
    "room.box_shut": N_("%(who)s found a key of the case that does not open, and asked for it again."),
    "room.open_as_keeper": N_("%(who)s opened the case as a keeper, for what its members wait for."),
    "room.ask_again": N_("%(who)s had a key of the case asked for once more."),
    "room.hand": N_("%(who)s handed the keys of the case to %(what)s again."),
    "room.back": N_("%(who)s agreed that a deputy takes over managing access."),
    "room.take_over": N_("%(who)s took over managing access, as a deputy."),
    "room.hand_back": N_("%(who)s handed managing access over to %(what)s."),
    "case.copy": N_("%(who)s made a copy for a person of what is kept about them."),
    "room.rewritten": N_("%(who)s changed its own record of this case afterwards, or lost the end of it."),
}


async def show_record(request: web.Request) -> web.Response:
    """The record of a case, newest first, all of it or one person's."""
    desk, kernel = await desk_of(request), request.app[KERNEL]
    who, before = room_record.asked(request.query)
    found = await kernel.database.read(room_record.look, kernel.node, desk.id, desk.opened.room, who, before)
    return show(request, desk, "cases/record.html", RECORD, found=found, who=who, before=before, ACTS=ACTS, checked=room_record.CHECKED)


ROUTES = (web.get(CASE + "/record", show_record),)
