"""Decides in which words the record of a room says what was done in it, as far as that is the same whatever the room is for."""

from fedcollab.base.errors import N_

ACTS = {  # %(who)s has done it, %(what)s is to whom
    "room.invite": N_("%(who)s invited %(what)s."),
    "room.withdraw": N_("%(who)s took an invitation back."),
    "room.remove": N_("%(who)s removed %(what)s."),
    "room.grant": N_("%(who)s let %(what)s read earlier entries."),
    "room.history": N_("%(who)s was handed earlier entries, sealed."),
    "room.key": N_("%(who)s said who is inside from then on, with a new key."),
    "room.send": N_("%(who)s added an entry."),
    "room.message": N_("%(who)s sent an entry."),
    "room.take_back": N_("%(who)s took an entry of ours back."),
    "room.erased": N_("%(who)s took an entry of theirs back."),
    "room.file_read": N_("%(who)s opened a file."),
    "room.file_given": N_("%(who)s was handed a file, sealed."),
    "room.file_came": N_("%(who)s was handed a file by another member."),
    "room.file_changed": N_("%(who)s found a file changed, and put it aside."),
    "room.file_mark": N_("%(who)s marked a file: nobody opens or hands it out again."),
    "room.heal": N_("%(who)s mended two lists of who is inside."),
    "room.agree": N_("%(who)s accepted how two lists were mended."),
    "room.finish": N_("%(who)s finished what had been broken off when keys were gone already."),
    "room.restored": N_("%(who)s came back from a backup; what was on record since then may be missing."),
}
