"""Shows that whoever is muted, or what is said in a muted conversation, is no news on the home page either."""

import pytest

from fedcollab.features.discussions import mentions, service
from fedcollab.features.discussions.moderation import muting
from tests.features.moderation.conftest import Home


@pytest.mark.parametrize("what", ["person", "conversation"])
def test_a_mention_by_somebody_muted_or_in_a_muted_conversation_is_no_news(here: Home, what: str) -> None:
    made = here.thread(text="@mona, look")
    assert [one.post_id for one in mentions.news(here.session, here.mona)] == [made.post_id]
    subject = here.daan.person_id if what == "person" else made.thread_id
    here.do(muting.mute, here.mona, subject)
    answer = here.do(service.post_reply, here.daan, made.thread_id, text="@mona, answer me")
    assert mentions.news(here.session, here.mona) == []
    assert mentions.unseen(here.session, here.mona, made.thread_id) != [], "it is marked where it stands"
    muting.unmute(here.session, here.mona, subject)
    assert {one.post_id for one in mentions.news(here.session, here.mona)} == {made.post_id, answer.post_id}
