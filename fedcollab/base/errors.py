"""Decides what can go wrong in words a person may read: one small tree, each error with a status and a safe text.

    FedcollabError
        Refused                 the request is understood and not done (422); the kin below differ in status
            BadRequest  Unauthorized  Forbidden  NotFound  Conflict  Gone  TooLarge  TooMany
        Unavailable             nothing was stored, try again later (503)
            StorageFull         the disk is full (507); NoRoom: of one partner enough is stored
        Unreachable             another node could not be fetched from or delivered to (502)
        Misconfigured           a setting or the set-up is wrong; the text names the line to write

Services raise, one middleware (or the command line) answers. Texts that pages show are message ids for gettext (marked by N_) with
`%(name)s` fields, so that each reader gets their own language; what only the command line says stays English. Nothing that a
stranger sent is ever part of a text shown to others.
"""

from collections.abc import Mapping
from typing import Protocol


class Reader(Protocol):
    """Who reads an error: their language (see i18n.Words)."""

    def gettext(self, message: str, /) -> str: ...

    def number(self, value: int, /) -> str: ...

    def time(self, micros: int, /) -> str: ...


def N_(text: str) -> str:
    """Marks a text for extraction; it is translated where it is shown."""
    return text


class FedcollabError(Exception):
    """Root of all errors that carry an HTTP status and a text that is safe to show."""

    status = 500
    headers: Mapping[str, str] = {}  # fields that the answer carries beside
    text = N_("Something went wrong on this node. Nothing was changed.")

    def __init__(self, text: str = "", *, reason: str = "", retry_after: int | None = None, **values: object) -> None:
        """`text` is a gettext message id filled with `values`; `reason` is for the log only; `retry_after` in seconds."""
        self.text = text or type(self).text
        self.values = values
        self.reason = reason
        self.retry_after = retry_after
        super().__init__(reason or (self.text % values if values else self.text))

    def in_words(self, reader: Reader | None = None) -> str:
        """The text in the reader's language, numbers in it as the language writes them; in English for the command line."""
        if reader is None:
            return self.text % self.values if self.values else self.text
        values = {name: reader.number(value) if isinstance(value, int) else value for name, value in self.values.items()}
        return reader.gettext(self.text) % values if values else reader.gettext(self.text)


class Refused(FedcollabError):
    """Understood and not done; a unit of work that raises it has no effect."""

    status = 422
    text = N_("This could not be done.")


class BadRequest(Refused):
    status = 400
    text = N_("The request could not be read.")


class Unauthorized(Refused):
    status = 401
    text = N_("Sign in first.")


class Forbidden(Refused):
    status = 403
    text = N_("This is not allowed.")


class NotFound(Refused):
    status = 404
    text = N_("There is nothing here, or it is not for you to see.")


class Conflict(Refused):
    status = 409
    text = N_("Somebody changed this at the same time. Look again and repeat.")


class Gone(Refused):
    status = 410
    text = N_("This was removed.")


class TooLarge(Refused):
    status = 413
    text = N_("That is more than fits here. Go back, shorten it and send it again; what you typed is still in the form.")


class TooMany(Refused):
    status = 429
    text = N_("Too many tries. Wait a little and try again.")


class Unavailable(FedcollabError):
    """Nothing was stored; the same request may succeed later."""

    status = 503
    text = N_("The node is busy. Nothing was changed; try again in a moment.")


class StorageFull(Unavailable):
    status = 507
    text = N_("The node's disk is full, so nothing was stored. Your text is safe in the form; tell your administrator.")


class NoRoom(StorageFull):
    """What one partner may have stored here is used up; it keeps this, and tries again."""

    text = N_("There is no room here for more of this. It is tried again by itself.")


class Unreachable(FedcollabError):
    """A fetch or delivery did not succeed; `reason` says why, `answer` is the other side's status where there was one, `certificate`
    OpenSSL's number of what is wrong with its certificate."""

    status = 502
    text = N_("The other organisation's node could not be reached.")

    def __init__(self, reason: str, *, answer: int | None = None, retry_after: int | None = None, certificate: int = 0) -> None:
        super().__init__(reason=reason, retry_after=retry_after)
        self.answer = answer
        self.certificate = certificate

    @property
    def passes(self) -> bool:
        """Whether it may go well another time: whoever answered was not able to just now."""
        return self.answer is not None and (self.answer >= 500 or self.answer in (408, 425, 429))


class NoAnswer(Unreachable):
    """Nobody answered."""

    passes = True


class Misconfigured(FedcollabError):
    """The set-up is wrong; the text says what to write where. Only the command line shows it, so it is not translated."""

    text = "The set-up is wrong."


class Needs(Exception):
    """A service lacks the object at `uri`: fetch it outside the transaction and run the unit again."""

    def __init__(self, uri: str) -> None:
        super().__init__(uri)
        self.uri = uri
