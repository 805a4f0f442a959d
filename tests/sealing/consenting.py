"""Two nodes of a test with a room that one shares with the other on consents."""

from dataclasses import dataclass
from typing import Any

from fedcollab.actors import service as actors
from fedcollab.base.clock import new_id
from fedcollab.sealing import consent_marks, consents
from fedcollab.sealing.consent_marks import Mark
from fedcollab.sealing.consent_models import WITHDRAWN
from fedcollab.sealing.consents import Given
from tests.nodes import until
from tests.sealing.at_work import Desk

HELLO, SHARED = {"text": "Where is she?"}, {"text": "Lantern Street 14"}
LATER = "2199-01-31"


@dataclass
class Two:
    """A room of Meridian's in which Baobab's Cleo works; `here` and `there` are its rows."""

    meridian: Desk
    baobab: Desk
    uri: str
    here: str
    there: str

    async def give(self, *things: str, until_day: str = LATER, whose: str = "") -> str:
        """Ilse has noted a consent for Baobab: its entry's id."""
        consent = self.meridian.here.url + f"/messages/{new_id()}"
        await self.meridian["ilse"].do(consents.given, Given(consent, self.baobab.me, self.here, until_day, things, whose))
        named = "SELECT 1 FROM consent_mark WHERE uri = :uri"
        await until("it is known there", lambda: self.baobab.here.sql(named, uri=consent))
        return consent

    async def ended(self, desk: Desk, state: str = WITHDRAWN) -> None:
        await until("it has ended there", lambda: desk.here.sql("SELECT 1 FROM consent_mark WHERE state = :s", s=state))

    async def mark(self, of: str = "") -> Mark:
        uris = [of] if of else [uri for (uri,) in await self.meridian.here.sql("SELECT uri FROM consent_mark")]
        [[mark]] = (await self.meridian.here.read(consent_marks.of_entries, uris)).values()
        return mark  # type: ignore[no-any-return]

    async def said(self, *contents: dict[str, str]) -> list[str]:
        """Ilse has said these, and they have come to Baobab."""
        ids = [await self.meridian["ilse"].say(self.here, one) for one in contents]
        for one in ids:
            await until("it is there", lambda: self.baobab.here.sql("SELECT 1 FROM sealed_message WHERE uri = :u", u=one))  # noqa: B023
        return ids

    async def heard(self, consent: str, state: str, desk: Desk | None = None) -> None:
        query = "SELECT 1 FROM consent_mark WHERE uri = :uri AND state = :state"
        await until("it is heard", lambda: (desk or self.baobab).here.sql(query, uri=consent, state=state))

    async def confirmed(self, consent: str) -> None:
        query = "SELECT 1 FROM consent_mark WHERE uri = :uri AND stopped_at IS NOT NULL"
        await until("it is confirmed", lambda: self.meridian.here.sql(query, uri=consent))

    async def word(self, kind: str, consent: str, **said: object) -> None:
        """Meridian's word on a consent goes out, whatever it knows of it."""

        def publish(session: Any, node: Any) -> None:
            to = actors.by_uri(session, self.baobab.me)
            assert to is not None
            consents.publish(session, node, kind, consent, self.uri, to.id, said)

        await self.meridian.here.write(publish)

    async def receipt(self, receipt: str) -> None:
        async def there() -> bool:
            return (await self.mark()).receipt == receipt

        await until(f"the receipt is {receipt}", there)

    async def asked(self) -> str:
        """What Baobab's keepers are asked to erase."""
        [mark] = await until("they are asked", lambda: self.baobab.here.read(consent_marks.to_erase))
        return str(mark.id)
