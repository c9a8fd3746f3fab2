"""Closed by default: who is let in, what every answer tells a browser, and what a hostile question comes to."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.web import journals
from tests.web.asking import asked, serving
from tests.web.journals import A
from tickfold_eventstore import Stream
from tickfold_projections.web.gate import Gate
from tickfold_projections.web.page import files
from tickfold_projections.web.questions import QUESTIONS

pytestmark = pytest.mark.anyio

TOKEN = "correct-horse-battery-staple"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    journals.written(tmp_path, A, journals.story(A, 1))
    return tmp_path


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200),
        ("127.0.0.1:8467", 200),
        ("localhost:1", 200),
        ("LOCALHOST", 200),
        ("[::1]:8467", 200),
        ("127.8.9.1", 200),
        ("desk.example:80", 200),
        ("DESK.EXAMPLE", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("localhost.evil.example", 421),
        ("desk.example.evil.example", 421),
        ("192.168.1.5", 421),
        ("0.0.0.0", 421),
        ("", 421),
        ("[::1", 421),
        ("user@evil.example", 421),
        ("127.0.0.1@evil.example", 421),
        ("evil.example#@127.0.0.1", 421),
    ],
)
async def test_a_name_that_somebody_else_points_here_is_not_answered(data: Path, host: str, status: int) -> None:
    async with serving(data) as served:
        assert (await asked(served.app, "/api/streams", host=host)).status == status
        assert (await asked(served.app, "/", host=host)).status == status


async def test_on_another_address_any_address_is_its_own_but_no_strange_name(data: Path) -> None:
    async with serving(data) as served:
        gate = Gate(served.desk.app(), TOKEN, ("desk.example",), local=False)
        given = {"authorization": f"Bearer {TOKEN}"}
        for host, status in (("192.168.1.5:80", 200), ("[fe80::1]", 200), ("desk.example", 200), ("evil.example", 421)):
            assert (await asked(gate, "/api/streams", host=host, **given)).status == status


NAVIGATION = {"sec_fetch_mode": "navigate", "sec_fetch_dest": "document"}


@pytest.mark.parametrize(
    ("target", "headers", "status"),
    [
        ("/api/streams", {"origin": "http://127.0.0.1:1234"}, 200),
        ("/api/streams", {"origin": "http://127.0.0.1:9999"}, 403),
        ("/api/streams", {"origin": "http://evil.example"}, 403),
        ("/api/streams", {"origin": "null"}, 403),
        ("/api/events", {"origin": "http://evil.example"}, 403),
        ("/api/streams", {"sec_fetch_site": "same-origin"}, 200),
        ("/api/streams", {"sec_fetch_site": "none"} | NAVIGATION, 200),
        ("/api/streams", {"sec_fetch_site": "cross-site"}, 403),
        ("/api/streams", {"sec_fetch_site": "same-site"}, 403),
        ("/api/streams", {"sec_fetch_site": "cross-site"} | NAVIGATION, 403),
        ("/", {"sec_fetch_site": "cross-site"} | NAVIGATION, 200),
        ("/", {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate", "sec_fetch_dest": "iframe"}, 403),
        ("/static/page.js", {"sec_fetch_site": "cross-site", "sec_fetch_mode": "no-cors"}, 403),
    ],
)
async def test_a_page_of_another_site_gets_nothing(
    data: Path, target: str, headers: dict[str, str], status: int
) -> None:
    async with serving(data) as served:
        assert (await asked(served.app, target, "HEAD", **headers)).status == status


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (f"Bearer {TOKEN}", 200),
        (f"bearer {TOKEN}", 200),
        (f"Bearer {TOKEN}x", 401),
        (f"Bearer {TOKEN[:-1]}", 401),
        (f"Bearer {TOKEN.upper()}", 401),
        ("Bearer", 401),
        ("Bearer ", 401),
        ("", 401),
        (TOKEN, 401),
        (f"Basic {TOKEN}", 401),
        ("Bearer \xff", 401),
    ],
)
async def test_with_a_token_every_question_about_journals_needs_it(data: Path, authorization: str, status: int) -> None:
    async with serving(data, token=TOKEN) as served:
        paths = [question.path.replace("{id}", "sim-3~w~A") for question in QUESTIONS]
        given = {"authorization": authorization} if authorization else {}
        for path in paths:
            answer = await asked(served.app, f"{path}?strategy=w" if path == "/api/report" else path, "HEAD", **given)
            assert answer.status == (200 if path in {"/healthz", "/readyz"} else status), path
            assert (answer.headers.get("www-authenticate") == "Bearer") == (answer.status == 401)
        for name in files():
            assert (await asked(served.app, f"/static/{name}".replace("static/index.html", ""))).status == 200
        in_url = await asked(served.app, f"/api/streams?token={TOKEN}")
        assert in_url.status == 401
    assert TOKEN not in repr(served.app)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get"])
async def test_nothing_but_reading_is_a_question(data: Path, method: str) -> None:
    async with serving(data) as served:
        for path in (*(question.path for question in QUESTIONS), "/", "/static/page.js", "/nothing"):
            answer = await asked(served.app, path, method)
            assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")
            assert answer.fault == "this server answers GET and HEAD: it changes nothing"


async def test_every_answer_keeps_a_browser_from_being_tricked(data: Path) -> None:
    async with serving(data) as served:
        app = served.desk.app()
        assert {method for route in app.routes for method in getattr(route, "methods", ())} == {"GET", "HEAD"}
        for target in ("/", "/static/page.js", "/api/streams", "/nothing", "/api/streams/x", "/metrics", "/healthz"):
            answer = await asked(served.app, target)
            policy = answer.headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            kept = {name: value for name, value in answer.headers.items() if name in EXPECTED}
            assert kept == EXPECTED, target
            assert "access-control-allow-origin" not in answer.headers


EXPECTED = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


@pytest.mark.parametrize(
    "path",
    [
        "/static/../routes.py",
        "/static/%2e%2e/routes.py",
        "/static/..%2froutes.py",
        "/static//etc/passwd",
        "/static/",
        "/static/index.html",
        "/../../etc/passwd",
        "//etc/passwd",
        "/api/streams/../../etc",
        "/api/streams/..",
        "/api/streams/%00",
        "/api/streams/" + "x" * 5000,
        "/api/streams/sim-3~w~..~..~A/events",
        "/api/streams/",
        "/api/events/",
        "/docs",
    ],
)
async def test_no_path_leads_anywhere_else(data: Path, path: str) -> None:
    async with serving(data) as served:
        answer = await asked(served.app, path)
    assert answer.status == 404
    assert len(answer.body) < 1000


NAMES = (
    "..",
    ".",
    "a/../../b",
    "x\r\nset-cookie: a=b",
    "\x00",
    "<script>alert(1)</script>",
    "\U0001f680",
    "é" * 300,
    '"\\',
)


async def test_a_name_of_any_kind_is_text_and_nothing_else(tmp_path: Path) -> None:
    streams = [Stream(name, name, name) for name in NAMES]
    for stream in streams:
        journals.written(tmp_path, stream, journals.story(stream, 0, first_at=journals.AT))
    async with serving(tmp_path) as served:
        listed = (await asked(served.app, "/api/streams")).document["streams"]
        assert sorted(each["symbol"] for each in listed) == sorted(NAMES)
        for each in listed:
            for path in ("", "/events", "/state", "/statistics", "/report", "/report?format=csv"):
                answer = await asked(served.app, f"/api/streams/{each['id']}{path}")
                assert answer.status == 200, (each["symbol"], path)
                assert not [value for value in answer.headers.values() if {"\r", "\n"} & set(value)]
                assert "set-cookie" not in answer.headers
            assert "<script>alert" not in (await asked(served.app, f"/api/streams/{each['id']}/report")).text
        metrics = (await asked(served.app, "/metrics")).text
    assert r'symbol="\"\\"' in metrics
    assert all(line.startswith(("#", "tickfold_")) for line in metrics.split("\n")[:-1])


async def test_a_question_of_any_size_is_answered_soon_or_refused(data: Path) -> None:
    async with serving(data) as served:
        same = await asked(served.app, "/api/statistics?" + "&".join(["stream=sim-3~w~A"] * 5000))
        other = await asked(served.app, "/api/statistics?" + "&".join(f"stream=x{n}" for n in range(5000)))
        unknown = await asked(served.app, "/api/streams?" + "&".join(f"a{n}=1" for n in range(5000)))
        last = await asked(served.app, "/api/events", last_event_id=",".join(["0123456789ab:1"] * 4000) + "x")
    assert [each.status for each in (same, other, unknown, last)] == [200, 404, 400, 400]
    assert max(len(each.body) for each in (other, unknown, last)) < 1000
