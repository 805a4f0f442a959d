"""Decides how a failed talk with a partner is explained to an admin: what happened, that nothing is lost, what to do."""

import re

from fedcollab.base.errors import FedcollabError, N_, Unreachable
from fedcollab.base.i18n import Words

# What other modules write as the reason, in English for logs and the command line -> what an admin reads.
EXPLAINED: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), text)
    for pattern, text in (
        (
            r"the name was not found",
            N_("This address does not exist, or its name can't be looked up just now. Compare the spelling with their admin."),
        ),
        (
            r"no answer within (?P<num>\d+) seconds",
            N_("No answer within %(num)s seconds. Their node may be switched off."),
        ),
        (r"the connection was refused", N_("Their machine answers, but no node runs there. Tell their admin.")),
        (
            r"shows other keys than those that were accepted",
            N_(
                "Their node shows other keys than those you know. Compare the words with their admin on the partner's page and say there"
                " that they match."
            ),
        ),
        (r"the connection broke", N_("The connection broke off.")),
        (
            r"their certificate is not valid",
            N_("Their certificate is not valid; it may have run out. Tell their admin to renew it."),
        ),
        (
            r"answered 401: the clocks differ by (?P<num>\d+) minutes",
            N_(
                "The clocks of both nodes differ by %(num)s minutes, so theirs does not believe our requests. Compare both with a clock"
                " that you trust and set the one that is wrong; nothing is lost meanwhile."
            ),
        ),
        (
            r"answered (?P<num>401)",
            N_(
                "Their node does not accept our signature (answer %(num)s). Check that the clocks of both machines are right,"
                " and ask their admin whether they have our present keys."
            ),
        ),
        (r"answered (?P<num>403)", N_("Their node does not let us in (answer %(num)s). Ask their admin to approve us.")),
        (r"answered (?P<num>404|410)", N_("There is no node at this address (answer %(num)s). Ask their admin for the right one.")),
        (r"answered (?P<num>429)", N_("Their node asks us to be slower (answer %(num)s).")),
        (r"answered (?P<num>503)", N_("Their node is busy or being worked on (answer %(num)s).")),
        (
            r"answered (?P<num>502|504)",
            N_(
                "Their web server answers, but the node behind it does not (answer %(num)s). Nothing is lost; if it stays, tell"
                " their admin."
            ),
        ),
        (
            r"answered (?P<num>\d+)",
            N_("Their node answered with an error (%(num)s). If it stays, tell their admin."),
        ),
        (
            r"answered with a redirect|more than three redirects",
            N_("Their node sends us on to another address. Ask their admin for the right one."),
        ),
        (
            r"refused: (the name leads to|connected to) an address that is not public",
            N_("This name leads into a private network, where this node asks nobody. Their admin has to give the node a public address."),
        ),
        (
            r"refused: not one of our partners",
            N_("Their node sends us on to somebody who is not a partner of ours. Nothing was asked there."),
        ),
        (
            r"refused: .*",
            N_(
                "This is not an address that this node may ask. Write https:// and the name of their node, such as https://node.example.org"
            ),
        ),
        (
            r"answered (in an unknown encoding|with .*)|its WebFinger names no organisation|json: .*",
            N_("Something answers at this address, but not as a node does. Compare the address with their admin."),
        ),
    )
)
CLOCKS = re.compile(r"answered 401: the clocks differ by \d+ minutes")
NOT_TRUSTED = N_(
    "What this address says about itself does not fit together, so it was not added. Ask their admin for the address of their node."
)


def explained(reason: str, words: Words) -> str:
    """A partner's last error, or the reason of an error, in the reader's language; unknown reasons are told in general."""
    for pattern, text in EXPLAINED:
        found = pattern.fullmatch(reason)
        if found:
            return words.gettext(text) % {name: words.number(int(value)) for name, value in found.groupdict().items()}
    return words.gettext(Unreachable.text)


def why_not_added(error: FedcollabError, words: Words) -> str:
    """Why an organisation could not be fetched or believed."""
    if isinstance(error, Unreachable) or any(pattern.fullmatch(error.reason) for pattern, _ in EXPLAINED):
        return explained(error.reason, words)
    return words.gettext(NOT_TRUSTED) if error.reason and error.text == type(error).text else error.in_words(words)
