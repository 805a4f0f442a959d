"""Decides how fast a tool may ask: a stock of requests that refills by and by, for each token, and for who comes with none that is good."""

from collections import OrderedDict

from fedcollab.base.clock import MICROSECONDS, Clock
from fedcollab.base.errors import TooMany

STOCK, EACH = 120, MICROSECONDS // 2  # requests at once; one more every half second
MOST = 10_000


class Rate:
    """Kept in memory alone, by whatever the caller counts (a token's row, an address). Full stocks are forgotten first."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._full_at: OrderedDict[str, int] = OrderedDict()

    def take(self, name: str) -> None:
        """Takes one request out of a stock. Raises TooMany, with the seconds until there is one again, where it is empty."""
        now = self._clock()
        full_at = max(now, self._full_at.pop(name, 0)) + EACH
        over = full_at - now - STOCK * EACH
        self._full_at[name] = full_at if over <= 0 else full_at - EACH
        while len(self._full_at) > MOST:
            self._full_at.popitem(last=False)
        if over > 0:
            raise TooMany(retry_after=-(-over // MICROSECONDS))
