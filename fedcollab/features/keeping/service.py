"""Decides what keepers see of where cases stand, and what waits for them; the acts themselves are the sealing floor's."""

from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from fedcollab.access import audit
from fedcollab.access.viewer import Viewer
from fedcollab.actors import service as actors
from fedcollab.actors.models import Actor
from fedcollab.actors.node import Node
from fedcollab.base.errors import N_
from fedcollab.base.session import Session
from fedcollab.federation.words import Spoken
from fedcollab.sealing import keeper_tasks, keepers, opening, organisation, people, sheets, words
from fedcollab.sealing import state as switched
from fedcollab.sealing.keepers import KeeperData
from fedcollab.sealing.sheets import SheetsData

SET_UP, KEEPERS, USE = "/keepers/set-up", "/keepers", "/keepers/sheets/use"
TASKS = {  # what is to be done next: what, and where
    opening.KEYS: (N_("Set up cases for your organisation. It takes about 15 minutes."), SET_UP),
    opening.SHEETS: (N_("Print three sheets, any two of which open your organisation’s key."), SET_UP),
    opening.TRY: (N_("Type two of the sheets, to be sure that they open the key."), SET_UP),
    opening.SECOND: (N_("Name a second keeper, for the day when the first one is ill."), SET_UP),
}
LOST = N_("No keeper can open your organisation’s key any more. Two of the three sheets can.")
HANDED = N_("A keeper waits for the organisation’s key. Hand it to them.")
ROOMS = N_("Something sealed does not go on by itself, and waits for a keeper.")
SIGNS_IN = N_("A keeper was named and has no key of their own in use. Ask them to sign in with their password.")
USED = N_("Two sheets were used to open the organisation’s key. Find out why, and print new sheets.")


@dataclass(frozen=True)
class Task:
    """One thing that waits for a keeper: what (a message id) and where it is done."""

    text: str
    path: str


@dataclass(frozen=True)
class Shown:
    """Where cases stand on this node, for keepers and admins. `mine` is whoever looks, where they are a keeper; `has_key` that they have a
    key of their own; `others` the people who could be named, (id, name); `may_name` that whoever looks may do so; `to_compare` the keys of
    those who wait for the organisation's, {person id: (key's name, its words)}."""

    state: str
    done: dict[str, bool]
    next: str
    keepers: list[KeeperData]
    sheets: SheetsData | None
    tasks: list[Task]
    mine: KeeperData | None
    is_on: bool
    has_key: bool
    may_name: bool
    others: list[tuple[str, str]]
    to_compare: dict[str, tuple[str, Spoken]]


def look(session: Session, node: Node, viewer: Viewer) -> Shown:
    """Where cases stand, for whoever looks."""
    facts, listed = organisation.facts(session, node), keepers.listed(session)
    return Shown(
        state=opening.state(facts),
        done=opening.done(facts),
        next=opening.next_step(facts),
        keepers=listed,
        sheets=sheets.state(session),
        tasks=tasks(session, node),
        mine=next((one for one in listed if one.person_id == viewer.person_id), None),
        is_on=switched.is_on(session),
        has_key=people.current(session, viewer.person_id) is not None,
        may_name=keepers.may_name(session, viewer),
        others=_others(session, {one.person_id for one in listed}),
        to_compare=dict(_to_compare(session, listed)),
    )


def _to_compare(session: Session, listed: list[KeeperData]) -> Iterator[tuple[str, tuple[str, Spoken]]]:
    for one in listed:
        key = None if one.holds else people.current(session, one.person_id)
        if key is not None:
            yield one.person_id, (key.kid, words.of_one(actors.by_id(session, one.person_id).uri, key.public))


def _others(session: Session, named: set[str]) -> list[tuple[str, str]]:
    query = sa.select(Actor.id, Actor.name).where(actors.our_people())
    return [(row.id, row.name) for row in session.execute(query.order_by(Actor.name, Actor.id)) if row.id not in named]


def tasks(session: Session, node: Node) -> list[Task]:
    """What waits for any keeper, the most pressing first."""
    facts, used = organisation.facts(session, node), sheets.state(session)
    stands, step = opening.state(facts), opening.next_step(facts)
    found = [Task(USED, KEEPERS)] if used is not None and used.used_at is not None else []
    if stands == opening.SHUT:
        return [*found, Task(LOST, USE)]
    if keeper_tasks.waiting(session):
        found.append(Task(ROOMS, "/keepers/tasks"))
    pending = [one for one in keepers.listed(session) if not one.holds] if stands != opening.OFF else []
    if any(one.ready for one in pending):
        found.append(Task(HANDED, KEEPERS))
    elif pending:
        found.append(Task(SIGNS_IN, KEEPERS))
    return [*found, Task(*TASKS[step])] if step and not (step == opening.SECOND and pending) else found


def at_home(session: Session, node: Node) -> list[Task] | None:
    """The same for a keeper's home; None where there is nothing to do."""
    return tasks(session, node) or None


def switch_on(session: Session, node: Node, viewer: Viewer) -> None:
    """From now on people get keys of their own when they give their password; on record once."""
    if not switched.is_on(session):
        switched.turn_on(session, node, viewer.person_id)
        audit.record(session, node.now(), viewer, "node.cases_on", viewer.person_id)
