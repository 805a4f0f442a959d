"""Four nodes and the air between them, in which things are lost, come twice, late and in any order; case keys are stand-ins or real."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import count

from fedcollab.base.errors import Refused
from fedcollab.sealing import acting, duties, handing
from fedcollab.sealing.casekeys import CaseKey, Member, parse
from fedcollab.sealing.facts import Fact, organisations
from fedcollab.sealing.handing import Named
from fedcollab.sealing.room_state import FROZEN, OPEN, Room
from fedcollab.sealing.texts import name_of
from fedcollab.sealing.turning import changes

ROOM = "https://owner.example/rooms/1"
OWNER, DEPUTY, MINA, NOOR = (f"https://{name}.example/actor" for name in ("owner", "deputy", "mina", "noor"))
NODES = OWNER, DEPUTY, MINA, NOOR
NO_PARTNERS = {MINA, NOOR}  # of each other
Secret = object
Making = Callable[[CaseKey], tuple[CaseKey, Secret]]
numbers = count()


def fresh(kind: str) -> str:
    return name_of(f"{kind} {next(numbers)}".encode())


def stand_in(plan: CaseKey) -> tuple[CaseKey, Secret]:
    """A case key without cryptography: what counts here is who has it."""
    key = replace(plan, commit=fresh("commitment"))
    assert parse(key.document()) == key
    return key, key.ck


@dataclass(frozen=True)
class Message:
    """A sealed message; `named` is what stands on it in clear."""

    id: int
    named: Named


@dataclass
class SimNode:
    """One organisation's node: what it knows, which case keys it holds, what it has been sent, and what it has sent off."""

    me: str
    room: Room
    secrets: dict[str, Secret] = field(default_factory=dict)
    messages: set[Message] = field(default_factory=set)
    sent: set[tuple[str, Fact | Message]] = field(default_factory=set)

    def learns(self, *facts: Fact) -> None:
        self.room = self.room.learns(*facts)
        if said := duties.acknowledged(self.room):
            self.room = self.room.learns(said)

    def takes(self, what: Fact | Message) -> None:
        if isinstance(what, Message):
            self.messages.add(what)
            self.learns(what.named.seen())
        else:
            self.learns(what)

    def issues(self, plan: CaseKey, make: Making) -> CaseKey:
        key, secret = make(plan)
        self.secrets[key.ck] = secret
        self.learns(key)
        return key

    def writes(self) -> Message:
        head = acting.check_open(self.room)
        message = Message(next(numbers), Named(self.me, head.epoch, head.ck))
        self.messages.add(message)
        return message

    def reads(self, message: Message) -> bool:
        """Whether its people can read it now."""
        try:
            return handing.taken(self.room, message.named) == handing.READ and message.named.ck in self.secrets
        except Refused:
            return False

    def owes(self) -> set[tuple[str, Fact | Message]]:
        found: set[tuple[str, Fact | Message]] = set(duties.duties(self.room))
        mine = [message for message in self.messages if message.named.organisation == self.me or self.room.leads]
        for message in mine:
            key = self.room.key(message.named.ck)
            found |= {(to, message) for to in (organisations(key) if key else ()) if to not in (self.me, message.named.organisation)}
        return {(to, what) for to, what in found if {self.me, to} != NO_PARTNERS}


class Air:
    """What is under way: (from, to, what). Each node sends again what got lost."""

    def __init__(self, make: Making = stand_in) -> None:
        self.make = make
        self.nodes = {me: SimNode(me, Room(ROOM, me)) for me in NODES}
        self.under_way: list[tuple[str, str, Fact | Message]] = []
        founded, plan = acting.found(ROOM, OWNER, fresh("mk"))
        self.nodes[OWNER].learns(founded)
        self.nodes[OWNER].issues(plan, make)

    def __getitem__(self, me: str) -> SimNode:
        return self.nodes[me]

    def send_all(self) -> None:
        for node in self.nodes.values():
            for to, what in sorted(node.owes() - node.sent, key=repr):
                node.sent.add((to, what))
                self.under_way.append((node.me, to, what))

    def deliver(self, at: int, *, again: bool = False) -> None:
        """The thing under way at this place arrives; `again`: and is still under way, so that it comes twice."""
        _, to, what = self.under_way[at % len(self.under_way)] if again else self.under_way.pop(at % len(self.under_way))
        self.nodes[to].takes(what)

    def lose(self, at: int) -> None:
        """It gets lost, which its sender notices some time."""
        who, to, what = self.under_way.pop(at % len(self.under_way))
        self.nodes[who].sent.discard((to, what))

    def deliver_all(self) -> None:
        for _ in range(40):
            self.send_all()
            if not self.under_way:
                return
            while self.under_way:
                self.deliver(0)
        raise AssertionError("they never come to rest")

    def fetch(self, me: str) -> None:
        """A node asks the others for the boxes of the case keys that it lacks."""
        node = self.nodes[me]
        for key in handing.wanted(node.room):
            for other in self.nodes.values():
                if key.ck not in node.secrets and key.ck in other.secrets and {me, other.me} != NO_PARTNERS:
                    self._hand_out(other, me, key)

    def ask(self) -> bool:
        """Nodes ask those who have named a case key for its document; whether they have learned something."""
        found = [
            (node, who, ck)
            for node in self.nodes.values()
            for ck, who in sorted(handing.missing(node.room))
            if {node.me, who} != NO_PARTNERS
        ]
        before = {node.me: node.room for node in self.nodes.values()}
        for node, who, ck in found:
            with contextlib.suppress(Refused):
                node.learns(handing.shown(self.nodes[who].room, node.me, ck))
        return any(node.room.facts != before[node.me].facts for node in self.nodes.values())

    def _hand_out(self, other: SimNode, me: str, key: CaseKey) -> None:
        try:
            handing.entitled(other.room, me, key)
        except Refused:
            return
        self.nodes[me].secrets[key.ck] = other.secrets[key.ck]

    def settle(self) -> None:
        """The links are well again, and every owner turns what is due."""
        for _ in range(20):
            self.deliver_all()
            while self.ask():
                self.deliver_all()
            due = [node for node in self.nodes.values() if node.room.state == OPEN and node.room.leads and changes(node.room)]
            for node in due:
                node.issues(acting.turn(node.room), self.make)
            if not due:
                break
        else:
            raise AssertionError("the owners turn the key for ever")
        for me in self.nodes:
            self.fetch(me)

    def join(self, *others: str, role: str = "member") -> None:
        """These are invited, say yes and come in."""
        for other in others:
            self[OWNER].learns(acting.invite(self[OWNER].room, fresh("invitation"), other, role=role, has_key=True))
        self.deliver_all()
        for other in others:
            asked = next(seat.invitation.id for seat in self[other].room.seats if seat.state == "invited")
            self[other].learns(acting.accept(self[other].room, asked, fresh("mk")))
        self.settle()

    def states(self) -> dict[str, str]:
        return {me: node.room.state for me, node in self.nodes.items()}

    def all_agree(self) -> None:
        """Whoever takes part works with one list, or all of those whom a freeze concerns see it."""
        frozen = [node for node in self.nodes.values() if node.room.state == FROZEN]
        for node in frozen:
            concerned = [self.nodes[who] for who in duties.everybody(node.room)]
            assert {one.room.state for one in concerned} <= {FROZEN, "out", "nothing"}, self.states()
            assert len({one.room.line.disputed for one in concerned if one.room.state == FROZEN}) == 1
        heads = {node.room.head for node in self.nodes.values() if node.room.state == OPEN}
        assert len(heads) <= 1 or frozen, [head.epoch for head in heads if head]


def begun() -> Air:
    """A room of the owner, a deputy and Mina; Noor is not inside."""
    air = Air()
    air.join(DEPUTY, MINA)
    air[OWNER].issues(acting.turn(air[OWNER].room, deputies=(DEPUTY,)), air.make)
    air.settle()
    return air


def turn(air: Air, who: str = OWNER) -> None:
    air[who].issues(acting.turn(air[who].room), air.make)


def led_by(members: tuple[Member, ...], who: str) -> tuple[Member, ...]:
    """A list under another owner."""
    return tuple(replace(member, role="owner" if member.organisation == who else "member") for member in members)
