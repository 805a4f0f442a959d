"""Decides what is kept of a member beside their actor: the account, sessions, invitations, one-time links, the second
factor, tokens of their tools; secrets only as hashes, or sealed where they have to be used."""

from sqlalchemy import JSON, ForeignKey, LargeBinary, String, Text

from fedcollab.base.model import Mapped, Model, mapped_column


class Member(Model):
    """A person's account."""

    __tablename__ = "member"
    person_id: Mapped[str] = mapped_column(ForeignKey("actor.id"), primary_key=True)
    username: Mapped[str] = mapped_column(String(40), unique=True)
    password_hash: Mapped[str] = mapped_column(Text, default="")
    roles: Mapped[list[str]] = mapped_column(JSON)
    language: Mapped[str] = mapped_column(String(16), default="")
    time_zone: Mapped[str] = mapped_column(Text, default="")
    new_password_due: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[int]
    disabled_at: Mapped[int | None]


class LoginSession(Model):
    """One signed-in browser; the cookie's value is stored as its hash alone. `asked_at` is when the password and the second factor were
    last given in it, empty for who came by a one-time link and has to choose one; `challenge` what a passkey is to answer, once, until
    `challenge_ends_at`."""

    __tablename__ = "login_session"
    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("actor.id"), index=True)
    created_at: Mapped[int]
    seen_at: Mapped[int]
    agent: Mapped[str] = mapped_column(Text)
    asked_at: Mapped[int | None]
    challenge: Mapped[str] = mapped_column(String(64), default="")
    challenge_ends_at: Mapped[int] = mapped_column(default=0)


class Invitation(Model):
    """A link that makes one account, within 7 days."""

    __tablename__ = "invitation"
    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    roles: Mapped[list[str]] = mapped_column(JSON)
    by_id: Mapped[str | None] = mapped_column(ForeignKey("actor.id"))
    created_at: Mapped[int]
    expires_at: Mapped[int]
    used_at: Mapped[int | None]


class LoginLink(Model):
    """A link that signs its person in once, within 15 minutes, to choose a new password."""

    __tablename__ = "login_link"
    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("actor.id"), index=True)
    by_id: Mapped[str | None] = mapped_column(ForeignKey("actor.id"))
    expires_at: Mapped[int]
    used_at: Mapped[int | None]


class Notice(Model):
    """A one-time link or a tool's token was made for somebody by another one, or their second factor was reset: shown on the pages of
    that person and of all admins until each has read it."""

    __tablename__ = "notice"
    person_id: Mapped[str] = mapped_column(ForeignKey("actor.id"), primary_key=True)
    about_id: Mapped[str] = mapped_column(ForeignKey("actor.id"), primary_key=True)
    at: Mapped[int]


class SecondFactor(Model):
    """A person's second factor. `sealed` is the secret in use, `sealed_offer` one that is to be proved by a first code before it counts,
    until `offer_ends_at`; both sealed under the node's master key and bound to the person. `last_step` is the last time step whose code
    was taken: no step counts twice. `on_at` is empty while there is only an offer."""

    __tablename__ = "second_factor"
    person_id: Mapped[str] = mapped_column(ForeignKey("actor.id"), primary_key=True)
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    sealed_offer: Mapped[bytes | None] = mapped_column(LargeBinary)
    offer_ends_at: Mapped[int] = mapped_column(default=0)
    last_step: Mapped[int] = mapped_column(default=0)
    on_at: Mapped[int | None]


class RecoveryCode(Model):
    """A code that stands in for the second factor once; the row goes with its use."""

    __tablename__ = "recovery_code"
    person_id: Mapped[str] = mapped_column(ForeignKey("actor.id"), primary_key=True)
    code_hash: Mapped[str] = mapped_column(String(64), primary_key=True)


class HalfLogin(Model):
    """A browser whose person has given the password (`given`; or used a one-time link) and still owes a code or a passkey; the cookie's
    value is stored as its hash alone. `challenge` as in LoginSession."""

    __tablename__ = "half_login"
    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("actor.id"), index=True)
    expires_at: Mapped[int]
    given: Mapped[bool] = mapped_column(default=True)
    challenge: Mapped[str] = mapped_column(String(64), default="")
    challenge_ends_at: Mapped[int] = mapped_column(default=0)


class Passkey(Model):
    """A passkey of a person, which stands beside or in the place of the app's code: its public half alone is here. `credential` is the
    name that its device gave it (base64url), `counter` what that device last counted (0: it does not count), `name` its person's own."""

    __tablename__ = "passkey"
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("actor.id"), index=True)
    credential: Mapped[str] = mapped_column(Text, unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    counter: Mapped[int]
    name: Mapped[str] = mapped_column(Text)
    created_at: Mapped[int]
    used_at: Mapped[int | None]


class ClientToken(Model):
    """What a member's own tool identifies itself with; the secret is stored as its hash alone. `scopes` are names with blanks between."""

    __tablename__ = "client_token"
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("actor.id"), index=True)
    purpose: Mapped[str] = mapped_column(Text)
    scopes: Mapped[str] = mapped_column(String(40))
    created_at: Mapped[int]
    expires_at: Mapped[int]
    used_at: Mapped[int | None]
