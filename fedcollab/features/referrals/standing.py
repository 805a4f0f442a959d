"""Decides how what was said of a referral is kept, and brings its row up to what follows from it."""

import sqlalchemy as sa

from fedcollab.actors.node import Node
from fedcollab.base.errors import TooMany
from fedcollab.base.session import Session
from fedcollab.base.statements import put

from .models import Referral, ReferralWord
from .states import Standing, Word, stands

MOST = 20  # words of one side on one referral


def words(session: Session, referral_id: str) -> set[Word]:
    """All that was said of a referral."""
    columns = (ReferralWord.said_at, ReferralWord.kind, ReferralWord.side, ReferralWord.code)
    return {Word(*row) for row in session.execute(sa.select(*columns).where(ReferralWord.referral_id == referral_id))}


def learn(session: Session, node: Node, referral_id: str, word: Word) -> tuple[str, Standing]:
    """Keeps a word, once. (How it stood before, how it stands now.)"""
    said = words(session, referral_id)
    before = stands(said).state
    if any((one.at, one.kind, one.by) == (word.at, word.kind, word.by) for one in said):
        return before, stands(said)
    if sum(one.by == word.by for one in said) >= MOST:
        raise TooMany(reason="referral: more is said of it than anybody needs to")
    row = dict(referral_id=referral_id, kind=word.kind, side=word.by, said_at=word.at, code=word.code)
    put(session, ReferralWord, **row, at=node.now())
    after = stands(said | {word})
    code = after.word.code if after.word else ""
    changed = dict(state=after.state, code=code) | (dict(changed_at=node.now()) if after.state != before else {})
    session.execute(sa.update(Referral).where(Referral.id == referral_id).values(**changed))
    return before, after
