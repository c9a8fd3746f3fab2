"""Who is let in, and what every answer says to a browser.

Without a token the server listens on loopback alone, and there any program of this machine may ask, but no web page:
a page of another site is told by its `Origin` and by `Sec-Fetch-Site`, one that has its own name point here (DNS
rebinding) by its `Host`. A token is asked for in `Authorization: Bearer` and nowhere else, so no browser sends it by
itself, and no history, log or `Referer` holds it.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Iterable
from hashlib import sha256
from urllib.parse import urlsplit

import attrs
import msgspec
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

OPEN = ("/", "/healthz", "/readyz")
"""What is answered without a token: the page, which asks for one, and two words for whoever restarts the server."""

STATIC = "/static/"

_LOOPBACK = ("localhost", "localhost.localdomain")
_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"


def fault(status: int, text: str, headers: dict[str, str] | None = None) -> Response:
    """An answer that says what is wrong."""
    body = msgspec.json.encode({"error": text})
    return Response(body, status, {"cache-control": "no-store"} | (headers or {}), "application/json")


@attrs.frozen
class Gate:
    """Stands before `app`. `names` are the host names under which it may be asked besides IP addresses and localhost;
    `local`: it listens on loopback, so other addresses are none of its own.
    """

    app: ASGIApp
    token: str | None = attrs.field(repr=False)
    names: Iterable[str]
    local: bool

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on; either way the answer has the headers that keep a browser from being tricked."""

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name for name, _ in message["headers"]}
                rules = _HEADERS | {"content-security-policy": _POLICY}
                extra = ((name.encode(), value.encode()) for name, value in rules.items())
                message["headers"] = [*message["headers"], *(each for each in extra if each[0] not in given)]
            await send(message)

        if scope["type"] == "http":
            await (self._refused(scope) or self.app)(scope, receive, guarded)

    def _refused(self, scope: Scope) -> Response | None:
        headers, path = Headers(scope=scope), scope["path"]
        if scope["method"] not in {"GET", "HEAD"}:
            return fault(405, "this server answers GET and HEAD: it changes nothing", {"allow": "GET, HEAD"})
        if not self._is_me(headers.get("host", "")):
            return fault(421, "the Host is none of this server's: name it with --allow-host, or use its IP address")
        if not _from_here(headers, path):
            return fault(403, "a page of another site asked; only the page of this server may")
        needs_token = self.token is not None and path not in OPEN and not path.startswith(STATIC)
        if needs_token and not self._is_known(headers.get("authorization", "")):
            return fault(401, "give the token of --token-file as Authorization: Bearer", {"www-authenticate": "Bearer"})
        return None

    def _is_me(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        if name in _LOOPBACK or name in {each.lower() for each in self.names}:
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        return address.is_loopback or not self.local

    def _is_known(self, authorization: str) -> bool:
        kind, _, given = authorization.partition(" ")
        # Digests, so that neither the time nor a length says how much of it is right.
        right = hmac.compare_digest(
            sha256(given.strip().encode()).digest(), sha256((self.token or "").encode()).digest()
        )
        return right and kind.lower() == "bearer"


def _from_here(headers: Headers, path: str) -> bool:
    """Whether the request comes from this server's page, from a program, or is a person who follows a link to `/`."""
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != headers.get("host"):
        return False
    if headers.get("sec-fetch-site") in {None, "same-origin", "none"}:
        return True
    return path == "/" and headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
