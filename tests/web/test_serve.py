"""`tickfold serve` as a process, and its page in a real Chromium."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.commands.typing_commands import start
from tests.web import journals
from tests.web.journals import AT, MINUTE, A
from tickfold.cli import run, serve

CHROMIUM = shutil.which("chromium")
TOKEN = "correct-horse-battery-staple"


@contextmanager
def served(cwd: Path, *words: object) -> Iterator[tuple[subprocess.Popen[str], str]]:
    process = start("serve", "--data-dir", "data", *words, cwd=cwd)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"http://\S+", line)
        assert found is not None, line
        yield process, found[0]
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    journals.written(tmp_path / "data", A, journals.story(A, 2, note="<img src=x onerror=document.title='hacked'>"))
    return tmp_path / "data"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_when_it_is_asked_to_and_lets_go_whoever_follows(tmp_path: Path, data: Path, number: int) -> None:
    with served(tmp_path, "--port", "0") as (process, url), httpx.stream("GET", f"{url}api/events") as events:
        lines = events.iter_lines()
        assert next(lines) == "retry: 1000"
        process.send_signal(number)
        assert [line for line in lines if line.startswith("event: fault")] == []
        _, err = process.communicate()
        assert (process.returncode, err) == (0, "")


def test_what_it_needs_is_said_before_it_listens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    token = tmp_path / "token"
    token.write_text("short\n")
    taken = socket.create_server(("127.0.0.1", 0))
    port = str(taken.getsockname()[1])
    wrong = (["--host", "0.0.0.0"], ["--token-file", str(token)], ["--port", port])
    said = [(run(["serve", "--data-dir", str(tmp_path), *words]), capsys.readouterr().err) for words in wrong]
    taken.close()
    monkeypatch.setattr(serve, "find_spec", lambda name: None)
    said.append((run(["serve"]), capsys.readouterr().err))
    assert [code for code, _ in said] == [2, 1, 1, 1]
    assert said[0][1].startswith("tickfold: whoever reaches 0.0.0.0 would see every journal: give --token-file")
    assert "holds no token of at least 16 printable characters" in said[1][1]
    assert f"cannot listen at 127.0.0.1 port {port}: Address already in use" in said[2][1]
    assert said[3][1] == "tickfold: serve needs starlette and uvicorn: pip install 'tickfold[web]'\n"


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_the_page_shows_streams_replays_them_and_goes_on_after_the_server_was_killed(
    tmp_path: Path, data: Path
) -> None:
    from playwright.sync_api import expect, sync_playwright

    token = tmp_path / "token"
    token.write_text(TOKEN)
    token.chmod(0o600)
    with sync_playwright() as playwright, served(tmp_path, "--port", "0", "--token-file", token) as (process, url):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 390, "height": 800}, color_scheme="dark")
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(url)
        page.get_by_label("Token").fill(TOKEN)
        page.keyboard.press("Enter")
        expect(page.locator("#link")).to_have_text("live")
        page.get_by_role("button", name="sim-3 / w / A").click()
        page.get_by_label("After event").fill("2")
        expect(page.locator("#state")).to_contain_text("event 2: active, long at 100")
        into = journals.journal(data, A)
        opening = journals.opened(A, 6, AT + 9 * MINUTE, "<script>document.title='hacked'</script>")
        journals.append(into, [opening])
        expect(page.locator("#events li")).to_have_count(6)
        process.kill()
        expect(page.locator("#link")).to_contain_text("trying again")
        journals.append(into, [journals.closed(A, 7, AT + 10 * MINUTE, opening)])
        into.close()
        port = url.rstrip("/").rpartition(":")[2]
        with served(tmp_path, "--port", port, "--token-file", token):
            expect(page.locator("#events li b")).to_have_text(
                ["closed", "opened", "closed", "opened", "closed", "opened", "started"]
            )
            assert page.title() == "Tickfold"
            assert page.evaluate("document.documentElement.scrollWidth") <= 390
        browser.close()
    assert faults == []
