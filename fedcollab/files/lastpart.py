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
            whole = self.held + came if self.held else came
            at = whole.find(self.end)
            self.over = at >= 0
            ends = at if self.over else self._sure(whole)
            begins = min(ends, 2 - self.skipped)
            self.skipped, self.held = self.skipped + begins, whole[ends:]
            if ends > begins:
                return whole[begins:ends]
        while await self.content.readany():
            pass
        return b""

    def _sure(self, whole: bytes) -> int:
        """How much of what came is the file's for certain: all, mostly, unless its last bytes may be the boundary's first. No boundary has
        a second line's end in it, so the last one decides."""
        at = whole.rfind(b"\r", -len(self.end))
        return at if at >= 0 and self.end.startswith(whole[at:]) else len(whole)
