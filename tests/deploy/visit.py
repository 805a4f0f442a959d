"""Visits a page inside a tree and prints its status and body: visit.py URL [Header: value]... [field=value]... (fields make it a form)."""

import http.client
import ssl
import sys
from urllib.parse import urlencode, urlsplit

AUTHORITY = "/var/lib/caddy/.local/share/caddy/pki/authorities/local/root.crt"


def main(url: str, *more: str) -> None:
    parts = urlsplit(url)
    line = http.client.HTTPSConnection(parts.netloc, timeout=20, context=ssl.create_default_context(cafile=AUTHORITY))
    headers = dict(one.split(": ", 1) for one in more if ": " in one)
    fields = dict(one.split("=", 1) for one in more if ": " not in one)
    body = urlencode(fields) if fields else None
    headers |= {"Content-Type": "application/x-www-form-urlencoded"} if fields else {}
    line.request("POST" if fields else "GET", parts.path or "/", body, headers)
    answer = line.getresponse()
    print(answer.status)
    sys.stdout.write(answer.read().decode())


if __name__ == "__main__":
    main(*sys.argv[1:])
