"""Decides the second factor: codes of an app, each good once within a step of the clock, ten recovery codes, and who has to have it."""

import hmac
import secrets
import unicodedata
from dataclasses import dataclass

import sqlalchemy as sa

from fedcollab.access import audit
from fedcollab.access.viewer import ADMIN, CASEWORKER, GUEST, INSIDE, KEEPER, MODERATOR, TRIAGER, Viewer
from fedcollab.actors.node import Node
from fedcollab.base.clock import HOUR, MICROSECONDS
from fedcollab.base.crypto import derive, seal, stored, unseal
from fedcollab.base.errors import N_, Refused
from fedcollab.base.session import Session

from . import ending
from .models import HalfLogin, LoginSession, Member, Passkey, RecoveryCode, SecondFactor

COMPELLED = frozenset({ADMIN, MODERATOR, KEEPER, CASEWORKER, TRIAGER, GUEST, INSIDE})
STEP, DIGITS, OFFER = 30, 6, HOUR
CODES, GROUPS = 10, 4  # recovery codes; each of so many groups of four: 80 bits
LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"  # none that is read for another
READ_AS = str.maketrans("oil", "011")
NOT_THIS = N_("This code does not fit. Take the newest one, and see that your phone sets its clock by itself.")


@dataclass(frozen=True)
class FactorData:
    """A person's second factor: since when a code is asked for, how many recovery codes are left, the secret that waits to be proved
    (empty for none), and how many passkeys there are."""

    on_at: int | None
    codes: int
    offered: str
    passkeys: int = 0

    @property
    def there(self) -> bool:
        """Whether there is one of any kind."""
        return self.on_at is not None or self.passkeys > 0


def compelled(node: Node, roles: frozenset[str]) -> bool:
    """Whether somebody with these roles sees nothing else before they have a second factor; on trial nodes nobody."""
    return not node.settings.trial and bool(COMPELLED & roles)


def plain_code(said: str) -> str:
    """A code as people type it, with blanks or hyphens, capitals, or the digits of their own script."""
    digits = (str(unicodedata.digit(c, c)) for c in said if c not in " -\u00a0\u2011")
    return "".join(digits).lower()


def is_app_code(said: str) -> bool:
    """Whether this has the form of an app's code, which no password and no recovery code has."""
    code = plain_code(said)
    return len(code) == DIGITS and code.isascii() and code.isdigit()


def step_of(secret: str, said: str, now: int, last_step: int) -> int:
    """The time step that a code is good for: the present one, the one before or the one after, if it is later than `last_step`; else 0.
    Takes as long whichever it is."""
    import pyotp

    present, code, found = now // MICROSECONDS // STEP, plain_code(said).encode(), 0
    for step in (present - 1, present, present + 1):
        fits = hmac.compare_digest(pyotp.HOTP(secret).at(step).encode(), code)
        found = step if fits and step > last_step else found
    return found


def has_one() -> sa.ColumnElement[bool]:
    """In a query of members: whether this one has a second factor, be it an app or a passkey."""
    app = sa.exists().where(SecondFactor.person_id == Member.person_id, SecondFactor.on_at.is_not(None))
    return sa.or_(app, sa.exists().where(Passkey.person_id == Member.person_id))


def is_on(session: Session, person_id: str) -> bool:
    """Whether a code or a passkey is asked for when this person signs in."""
    return session.scalars(sa.select(Member.person_id).where(Member.person_id == person_id, has_one())).first() is not None


def has_passkey(session: Session, person_id: str) -> bool:
    """Whether this person has a passkey."""
    return session.scalars(sa.select(Passkey.id).where(Passkey.person_id == person_id).limit(1)).first() is not None


def state(session: Session, node: Node, person_id: str) -> FactorData:
    """What the person's own page says."""
    row = session.execute(sa.select(SecondFactor).where(SecondFactor.person_id == person_id)).one_or_none()
    left = sa.select(sa.func.count()).select_from(RecoveryCode).where(RecoveryCode.person_id == person_id)
    sealed = row.sealed_offer if row and row.offer_ends_at > node.now() else None
    offered = _opened(node, person_id, sealed) if sealed else ""
    passkeys = session.scalars(sa.select(sa.func.count()).select_from(Passkey).where(Passkey.person_id == person_id)).one()
    return FactorData(row.on_at if row else None, session.execute(left).scalar_one(), offered, passkeys)


def address(node: Node, username: str, secret: str) -> str:
    """The otpauth address of a secret, which apps read from its picture."""
    import pyotp

    return pyotp.TOTP(secret).provisioning_uri(name=username, issuer_name=node.settings.name)


def offer(session: Session, node: Node, person_id: str) -> None:
    """A fresh secret, which counts once a first code has proved that an app holds it; one in use stays in use until then."""
    import pyotp

    sealed = seal(node.master_key, pyotp.random_base32(32).encode(), _bound(person_id))
    values = dict(sealed_offer=sealed, offer_ends_at=node.now() + OFFER)
    if session.execute(sa.select(SecondFactor.person_id).where(SecondFactor.person_id == person_id)).first() is None:
        session.execute(sa.insert(SecondFactor).values(person_id=person_id, last_step=0, **values))
    else:
        session.execute(sa.update(SecondFactor).where(SecondFactor.person_id == person_id).values(values))


def withdraw(session: Session, person_id: str) -> None:
    """Forgets an offer that nobody proved."""
    mine = SecondFactor.person_id == person_id
    session.execute(sa.update(SecondFactor).where(mine).values(sealed_offer=None, offer_ends_at=0))
    session.execute(sa.delete(SecondFactor).where(mine, SecondFactor.on_at.is_(None)))


def confirm(session: Session, node: Node, viewer: Viewer, said: str, keep_token: str) -> list[str]:
    """The offered secret is the one from now on; all other sessions end. Answers new recovery codes, to be shown once.

    Raises Refused for a wrong code, or where nothing is on offer any more."""
    mine, secret = SecondFactor.person_id == viewer.person_id, state(session, node, viewer.person_id).offered
    if not secret:
        raise Refused(N_("The picture on this page was good for an hour. Begin again."))
    step = step_of(secret, said, node.now(), 0)
    if not step:
        raise Refused(NOT_THIS)
    taken = dict(sealed=SecondFactor.sealed_offer, sealed_offer=None, offer_ends_at=0, last_step=step, on_at=node.now())
    session.execute(sa.update(SecondFactor).where(mine).values(taken))
    codes = new_codes(session, node, viewer.person_id)
    end_others(session, node, viewer.person_id, keep_token)
    audit.record(session, node.now(), viewer, "member.factor_on", viewer.person_id)
    return codes


def takes(session: Session, node: Node, person_id: str, said: str) -> bool:
    """Whether this is the person's code: one of the app's or a recovery code. It is used up by this."""
    return _takes_app_code(session, node, person_id, said) if is_app_code(said) else _takes_recovery_code(session, node, person_id, said)


def _takes_app_code(session: Session, node: Node, person_id: str, said: str) -> bool:
    mine = SecondFactor.person_id == person_id
    row = session.execute(sa.select(SecondFactor.sealed, SecondFactor.last_step).where(mine)).one_or_none()
    if row is None or row.sealed is None:
        return False
    step = step_of(_opened(node, person_id, row.sealed), said, node.now(), row.last_step)
    used = sa.update(SecondFactor).where(mine, SecondFactor.last_step < step).values(last_step=step)
    return bool(step) and session.execute(used.returning(SecondFactor.person_id)).first() is not None


def _takes_recovery_code(session: Session, node: Node, person_id: str, said: str) -> bool:
    mine = sa.and_(RecoveryCode.person_id == person_id, RecoveryCode.code_hash == _hashed(node, person_id, said))
    if session.execute(sa.delete(RecoveryCode).where(mine).returning(RecoveryCode.person_id)).first() is None:
        return False
    audit.record(session, node.now(), Viewer(person_id=person_id), "member.recovery_code", person_id)
    return True


def renew_codes(session: Session, node: Node, viewer: Viewer) -> list[str]:
    """Ten new recovery codes, to be shown once; the ones before are good no more. Raises Refused without a second factor."""
    if not is_on(session, viewer.person_id):
        raise Refused(N_("Set up the second factor first."))
    codes = new_codes(session, node, viewer.person_id)
    audit.record(session, node.now(), viewer, "member.recovery_codes", viewer.person_id)
    return codes


def switch_off(session: Session, node: Node, viewer: Viewer, keep_token: str) -> None:
    """The app's codes are good no more; all other sessions end. Without a passkey nothing but the password is asked for then, so that is
    refused to those who have to have a second factor. Raises Refused."""
    if compelled(node, viewer.roles) and not has_passkey(session, viewer.person_id):
        raise Refused(N_("With your roles you cannot do without the second factor. You can move it to another phone."))
    end_others(session, node, viewer.person_id, keep_token)
    session.execute(sa.delete(SecondFactor).where(SecondFactor.person_id == viewer.person_id))
    forget_codes(session, viewer.person_id)
    audit.record(session, node.now(), viewer, "member.factor_off", viewer.person_id)


def forget_codes(session: Session, person_id: str) -> None:
    """Takes the recovery codes away where there is nothing more that they could stand in for."""
    if not is_on(session, person_id):
        session.execute(sa.delete(RecoveryCode).where(RecoveryCode.person_id == person_id))


def forget(session: Session, person_id: str) -> None:
    """Takes everything of a second factor away, and what waits for its code."""
    for model in (SecondFactor, RecoveryCode, Passkey, HalfLogin):
        session.execute(sa.delete(model).where(model.person_id == person_id))


def end_others(session: Session, node: Node, person_id: str, keep_token: str = "") -> None:
    """Ends a person's sessions but one, and the browsers that owe a code."""
    ending.end(session, node, LoginSession, LoginSession.person_id == person_id, LoginSession.token_hash != stored(keep_token))
    ending.end(session, node, HalfLogin, HalfLogin.person_id == person_id)


def new_codes(session: Session, node: Node, person_id: str) -> list[str]:
    """Ten recovery codes in the place of all before."""
    codes = ["-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(GROUPS)) for _ in range(CODES)]
    session.execute(sa.delete(RecoveryCode).where(RecoveryCode.person_id == person_id))
    session.execute(sa.insert(RecoveryCode), [dict(person_id=person_id, code_hash=_hashed(node, person_id, code)) for code in codes])
    return codes


def _hashed(node: Node, person_id: str, said: str) -> str:
    """Keyed, so that whoever holds the database alone cannot try codes out."""
    code = plain_code(said).translate(READ_AS)
    return hmac.new(derive(node.master_key, "recovery codes"), f"{person_id}\0{code}".encode(), "sha256").hexdigest()


def _opened(node: Node, person_id: str, sealed: bytes) -> str:
    return unseal(node.master_key, sealed, _bound(person_id)).decode()


def _bound(person_id: str) -> str:
    return f"second factor of {person_id}"
