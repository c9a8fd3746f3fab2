"""The page in a real browser: its policy lets its own script run, which sorts and searches the table of signals."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.projections.stories import DAY_MINUTES, Story
from tickfold_projections.render_html import render_html
from tickfold_projections.report import report

CHROMIUM = shutil.which("chromium")

DRIVER = """
const told = [], find = name => document.querySelector(name);
const column = name => {
  const table = find("table.signals");
  const place = [...table.tHead.rows[0].cells].findIndex(cell => cell.textContent === name);
  return [...table.tBodies[0].rows].filter(row => row.offsetParent).map(row => row.cells[place].textContent);
};
const press = name => [...document.querySelectorAll("table.signals button")].find(b => b.textContent === name).click();
const say = values => told.push(values.slice(0, 3).join(" ") + " of " + values.length);
press("PNL (net)"); say(column("PNL (net)"));
press("PNL (net)"); say(column("PNL (net)"));
const field = find("#signals input[type=search]");
field.value = "second"; field.dispatchEvent(new Event("input")); say(column("Note"));
find("#show-won").click(); say(column("PNL (net)"));
document.body.dataset.told = told.join("; ");
"""


def shown(tmp_path: Path, page: str) -> str:
    """The page after its scripts ran."""
    if CHROMIUM is None:
        pytest.skip("there is no chromium here: apt-get install chromium")
    path = tmp_path / "page.html"
    path.write_text(page, encoding="utf-8")
    profile = f"--user-data-dir={tmp_path / 'profile'}"
    words = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", profile, "--dump-dom", path.as_uri()]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def page_of_some_months() -> str:
    """More signals than stand in one open table: every fifth lost, every fourth has a note."""
    story = Story()
    for number in range(130):
        story.open(number * DAY_MINUTES * 0.7, note="second" if number % 4 == 1 else "")
        story.close(number * DAY_MINUTES * 0.7 + 30, round((number % 5 - 0.5) / 3, 4))
    return render_html(report("w", story.events))


def test_signals_are_sorted_and_found_over_all_months_at_once(tmp_path: Path) -> None:
    page = page_of_some_months()
    assert page.count('<table class="signals">') == 4
    page = re.sub(r"<meta http-equiv[^>]*>", "", page).replace("</body>", f"<script>{DRIVER}</script></body>")
    (told,) = re.findall(r'data-told="([^"]*)"', shown(tmp_path, page))
    assert html.unescape(told).split("; ") == [
        "-0.1667 % -0.1667 % -0.1667 % of 130",
        "+1.1667 % +1.1667 % +1.1667 % of 130",
        "second second second of 33",
        "+1.1667 % +1.1667 % +1.1667 % of 26",
    ]


def test_its_own_policy_lets_its_script_run_and_no_other(tmp_path: Path) -> None:
    page = page_of_some_months().replace("</body>", "<script>document.body.dataset.told = 'ran'</script></body>")
    found = shown(tmp_path, page)
    assert '<button type="button" title="Sort by this column">PNL (net)</button>' in found
    assert "data-told" not in found
