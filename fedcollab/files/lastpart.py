"""Decides where the file in a form ends: its bytes are handed on as they come, up to the boundary."""

from email.message import Message

from aiohttp.streams import StreamReader

from fedcollab.base.errors import BadRequest

LONGEST = 70  # characters of a boundary (RFC 2046)


def boundary(content_type: str) -> bytes:
    """What divides the parts of a form. Raises BadRequest."""
    read = Message()
    read["Content-Type"] = content_type
    found = read.get_boundary("")
    if not 1 <= len(found) <= LONGEST or not found.isascii():
        raise BadRequest(reason="a form without a boundary")
    return found.encode()


class LastPart:
    """The bytes of the part whose header was read last from `content`; what comes after it is thrown away."""

    def __init__(self, content: StreamReader, divider: bytes) -> None:
        self.content = content
        self.end = b"\r\n--" + divider
        self.held = b"\r\n"  # the header's own end may be the boundary's beginning, where there are no bytes at all
        self.skipped, self.over = 0, False

    async def read(self) -> bytes:
        """Some bytes; none at its end. Raises ConnectionError where the form ends before its boundary."""
        while not self.over:
            came = await self.content.readany()
            if not came:
                raise ConnectionError("the form ends in its middle")
            if self.skipped == 2 and len(came) > len(self.end) and not self._ends_near(came):
                found = b"".join((self.held, memoryview(came)[: -len(self.end)]))
                self.held = came[-len(self.end) :]
                return found
            whole = self.held + came
            at = whole.find(self.end)
            self.over = at >= 0
            ends = at if self.over else max(0, len(whole) - len(self.end))
            begins = min(ends, 2 - self.skipped)
            self.skipped, self.held = self.skipped + begins, whole[ends:]
            if ends > begins:
                return whole[begins:ends]
        while await self.content.readany():
            pass
        return b""

    def _ends_near(self, came: bytes) -> bool:
        """Whether the boundary stands in what came, or across what is held."""
        return self.end in came or self.end in self.held + came[: len(self.end)]
