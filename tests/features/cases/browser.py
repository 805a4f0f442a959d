"""Reads a page's forms as a browser without script sends them."""

from html.parser import HTMLParser

Sent = dict[str, list[str]]


class Filled(HTMLParser):
    """What a browser sends of the fields of a page, `named` all that there are."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.sent: Sent = {}
        self.named: set[str] = set()
        self._in, self._select, self._text = "", "", ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        name = said.get("name", "")
        if tag == "option" and self._select:
            if "selected" in said or self._select not in self.sent:
                self.sent[self._select] = [said["value"]]
        elif tag in ("input", "textarea", "select") and name:
            self.named.add(name)
            if tag == "select":
                self._select = name
            elif tag == "textarea":
                self._in, self._text = name, ""
            elif said.get("type") not in ("checkbox", "radio") or "checked" in said:
                self.sent.setdefault(name, []).append(said.get("value", ""))

    def handle_data(self, data: str) -> None:
        if self._in:
            self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._in:
            self.sent.setdefault(self._in, []).append(self._text.removeprefix("\n").replace("\n", "\r\n"))
            self._in = ""
        elif tag == "select":
            self._select = ""
