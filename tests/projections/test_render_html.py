"""The page: whole, closed to the network, open to every reader, and nothing from outside is markup in it."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.projections.reading_html import FETCHING, Page
from tests.projections.sample import sample, stories
from tests.projections.stories import DAY_MINUTES, Story, trades
from tests.projections.test_excursions import candles
from tests.projections.test_rendering import HOSTILE
from tickfold_eventstore.events import Event
from tickfold_projections.excursions import with_market
from tickfold_projections.figures import DEFINITIONS, TOTAL_EVENTS
from tickfold_projections.heat import heat
from tickfold_projections.notation import shown
from tickfold_projections.render_html import render_html, render_table_html
from tickfold_projections.render_html_curves import LINES
from tickfold_projections.render_html_figures import HEADLINE, shade
from tickfold_projections.render_html_script import SCRIPT
from tickfold_projections.render_html_style import PALETTE
from tickfold_projections.report import Report, report
from tickfold_projections.schedule import schedule
from tickfold_projections.table import heat_table, schedule_table


def sample_events() -> list[Event]:
    return [event for story in stories() for event in story.events]


PAGES = {
    "report": lambda: render_html(sample()),
    "empty": lambda: render_html(report("w", [])),
    "several": lambda: render_html(report("w", two_symbols())),
    "with candles": lambda: render_html(seen()),
    "one": lambda: render_html(report("w", trades([1.0]))),
    "many": lambda: render_html(report("w", trades([1.0, -0.5] * 100, every=700))),
    "heat": lambda: render_table_html(heat_table(heat("w", sample_events()))),
    "schedule": lambda: render_table_html(schedule_table(schedule("w", sample_events()))),
    "no heat": lambda: render_table_html(heat_table(heat("w", []))),
}


def seen() -> Report:
    """A report beside its candles, with signals of either side, won, lost, drawn and open."""
    story = Story()
    for number, result in enumerate([1.0, -1.0, 0.0, 2.0]):
        story.trade(number * 30, number * 30 + 20, result, "short" if number % 2 else "long")
    story.open(121)
    return with_market(report("w", story.events), {story.stream: candles([(100.0, 102.0, 98.0, 101.0)] * 200)})


@pytest.fixture(scope="module", params=PAGES)
def page(request: pytest.FixtureRequest) -> Page:
    """Read strictly: an element that is not closed where it was opened is a failure."""
    return Page(PAGES[request.param]())


def hostile(text: str) -> str:
    """A page with `text` wherever something from outside stands."""
    story = Story(text or "A", exchange=text or "x", strategy=text or "w")
    story.trade(0, 10, 1.0)
    story.open(20, note=text)
    story.close(30, -1.0)
    story.reject(40, text, "another", note=text, entry=text)
    story.open(50, note=text)
    return render_html(report(text or "w", story.events, hashes={story.stream: text}))


def test_nothing_in_a_page_leaves_it(page: Page) -> None:
    targets = {each.attributes["id"] for each in page.elements if "id" in each.attributes}
    for each in page.elements:
        assert each.name not in {"link", "iframe", "object", "embed", "img", "base", "form", "image", "use"}
        assert FETCHING.isdisjoint(each.attributes)
        assert not any(name.startswith("on") or name == "style" for name in each.attributes)
        if "href" in each.attributes:
            assert each.attributes["href"].removeprefix("#") in targets
    (style,) = page.named("style")
    assert re.findall(r"url\(|@import|https?:|//", style.text) == []


def digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def test_its_policy_allows_its_style_sheet_its_script_if_it_has_one_and_nothing_else(page: Page) -> None:
    (style,), scripts = page.named("style"), page.named("script")
    allowed = "".join(f"script-src 'sha256-{digest(each.text)}'; " for each in scripts)
    (policy,) = (each for each in page.named("meta") if each.attributes.get("http-equiv") == "Content-Security-Policy")
    assert policy.attributes["content"] == (
        f"default-src 'none'; style-src 'sha256-{digest(style.text)}'; {allowed}base-uri 'none'; form-action 'none'"
    )
    assert len(scripts) == (len(page.named("section")) > 1)


def test_its_script_fetches_nothing_and_makes_markup_of_nothing() -> None:
    for word in (
        "fetch",
        "XMLHttp",
        "import",
        "eval",
        "innerHTML",
        "insertAdjacent",
        "document.write",
        "location",
        "//",
    ):
        assert word not in SCRIPT


def test_a_reader_who_does_not_see_finds_the_way(page: Page) -> None:
    assert page.declared == ["DOCTYPE html"]
    assert page.elements[0].attributes == {"lang": "en"}
    assert [each.path for each in page.named("title") if "svg" not in each.path] == [("html", "head")]
    assert len(page.named("h1")) == len(page.named("main")) == 1
    names = [each.attributes["id"] for each in page.elements if "id" in each.attributes]
    assert len(names) == len(set(names))
    first_link = page.named("a")[0]
    assert (first_link.attributes["href"], first_link.attributes["class"]) == ("#main", "skip")
    for each in page.elements:
        for name in ("aria-labelledby", "aria-describedby"):
            assert set(each.attributes.get(name, "").split()) <= set(names)
    assert all(each.attributes["scope"] in {"col", "row"} for each in page.named("th"))
    assert all("label" in each.path for each in page.named("input"))
    assert [len(each.said) > 0 for each in page.named("caption")] == [True] * len(page.named("table"))
    for each in page.named("svg"):
        told = each.attributes.get("aria-label") or each.attributes.get("aria-labelledby")
        hidden = each.attributes.get("aria-hidden") == "true"  # beside words that say the same
        assert "svg" in each.path or hidden or (each.attributes["role"] == "img" and told)


def test_each_cell_stands_under_its_column(page: Page) -> None:
    for kind, (columns, *rows) in page.tables():
        assert [(kind, len(row)) for row in rows] == [(kind, len(columns))] * len(rows)
        assert rows


@pytest.mark.parametrize("text", HOSTILE)
def test_text_from_outside_is_seen_as_it_is_and_changes_no_element(text: str) -> None:
    told, plain = Page(hostile(text)), Page(hostile("plain"))
    assert [each.name for each in told.elements] == [each.name for each in plain.elements]
    assert [sorted(each.attributes) for each in told.elements] == [sorted(each.attributes) for each in plain.elements]
    assert [line[10] for line in told.rows("signals")] == ["Note", "", shown(text), shown(text)]
    assert told.named("h1")[0].text == f"Live Trading Report: {shown(text or 'w')}"


@given(st.text(st.characters(exclude_categories=()), max_size=30))
@settings(max_examples=50, deadline=None)
def test_whatever_a_note_is_it_is_one_cell(text: str) -> None:
    page = hostile(text)
    assert [line[10] for line in Page(page).rows("signals")][2:] == [shown(text)] * 2
    page.encode()
    assert all(character == "\n" or character.isprintable() or shown(character) == character for character in page)


def test_every_signal_stands_in_it_once() -> None:
    page = Page(render_html(sample()))
    ended = [(line[0], line[1], line[7], line[8]) for line in page.rows("signals")[1:]]
    told = [row for row in sample().rows if row.action in {"closed", "cancelled", "rejected"}]
    assert len(ended) == len(told) == 16
    assert ended[0] == ("2022-01-01 01:00", "A", "+1.5998 %", "take_profit")
    assert ended[1] == ("2022-01-01 02:30", "B/USDT", "", "cancelled: timeout")
    assert ended[-1][:3] == ("2022-01-15 00:00", "A", "")
    assert ended[-1][3].startswith("rejected: stop loss 90 | is above; ")
    assert [(line[0], line[2]) for line in page.rows("open")[1:]] == [("A", "opened"), ("B/USDT", "waiting")]
    assert page.rows("open")[1][8:10] == ["46500.25 (2022-01-15 00:30)", "+0.0178 %"]


def test_many_signals_are_folded_by_the_month() -> None:
    page = Page(PAGES["many"]())
    said = [each.text for each in page.named("summary") if "closed, " in each.text]
    assert said == [
        "2022-01: 64 closed, 0 cancelled, 0 rejected",
        "2022-02: 58 closed, 0 cancelled, 0 rejected",
        "2022-03: 64 closed, 0 cancelled, 0 rejected",
        "2022-04: 14 closed, 0 cancelled, 0 rejected",
    ]
    lines = [line for line in page.rows("signals") if line[0] != "Ended (UTC)"]
    assert len(lines) == 200


def test_what_the_table_can_be_narrowed_to_needs_no_script() -> None:
    page = Page(render_html(sample()))
    (style,) = page.named("style")
    shows = [each for each in page.named("input") if each.attributes["name"] == "show"]
    kept = [each.attributes["id"].removeprefix("show-") for each in shows]
    assert kept == ["all", "won", "lost", "cancelled", "rejected"]
    assert re.findall(r"#signals:has\(#show-(\w+):checked\) \.signals tbody tr:not\(\.(\w+)\)", style.text) == [
        (name, name) for name in kept[1:]
    ]
    kinds = [each.attributes["class"] for each in page.named("tr") if "class" in each.attributes]
    assert set(kinds) >= {"won", "lost", "draw", "cancelled", "rejected"}


def test_the_filter_and_what_it_narrows_stand_where_its_rule_looks_for_them() -> None:
    ids = re.search(r'<section id="signals"(.*?)</section>', render_html(sample()), re.DOTALL)
    assert ids is not None
    assert ids[0].index('id="show-won"') < ids[0].index('<table class="signals"')


def test_every_figure_has_its_definition_a_click_away() -> None:
    page = Page(render_html(sample()))
    told = {line[0]: line[1] for line in page.rows("figures")[1:]}
    assert list(told) == [each.title + each.text for each in (TOTAL_EVENTS, *DEFINITIONS.values())]
    assert told[DEFINITIONS["win_rate"].title + DEFINITIONS["win_rate"].text] == "57.14 % (W 8 / L 4 / draws 2)"
    paths = [each.path[-3:] for each in page.named("summary") if each.path[-2] == "th"]
    assert paths == [("tr", "th", "details")] * (1 + len(DEFINITIONS))
    links = [each.attributes["href"] for each in page.named("a") if "dt" in each.path]
    assert links == [f"#is-{name}" for name in HEADLINE]


def test_a_figure_that_is_not_known_says_why() -> None:
    told = Page(PAGES["one"]())
    cards = {each.text for each in told.named("dd")}
    assert "N/A1 of 10 closed signals" in cards
    assert any("N/A (1 of 10 closed signals)" in line[1] for line in told.rows("figures"))


def test_a_report_of_nothing_says_so() -> None:
    said = [each.text for each in Page(PAGES["empty"]()).named("p")]
    assert said[0] == "No events."
    assert said.count("No closed signals.") == 9
    assert {"No curve: no signal closed.", "None."} <= set(said)
    assert {"Not known: no candles were at hand."} <= set(said)


def test_months_and_groups_are_told_in_numbers() -> None:
    page = Page(render_html(sample()))
    assert page.rows("months")[1][:3] == ["2022", "+7.32", ""]
    assert [line[:3] for line in page.rows("groups")][-2:] == [["long", "5", "3 / 1 / 1"], ["short", "9", "5 / 3 / 1"]]
    assert page.rows("bars")[1] == ["Monday", "2", "100.00 %", "+3.20 %", ""]
    assert [line[:2] for line in page.rows("bars") if line[1] == "14"] == [["15 min to 1 h", "14"]]


def test_the_provenance_is_the_foot_and_can_be_left_out() -> None:
    whole, bare = render_html(sample()), render_html(sample(), provenance=False)
    start, end = whole.index("<footer>"), whole.index("</footer>\n") + len("</footer>\n")
    assert whole[:start] + whole[end:] == bare
    assert Page(whole).rows("provenance")[1:] == [
        ["sim-1/w/A", "1 to 32", "e865bc97cd9b7fad", "1", "1", "s", "c"],
        ["sim-1/w/B/USDT", "1 to 3", "78baed294120e23b", "0", "N/A", "N/A", "N/A"],
    ]
    assert "Configuration c: a journal has its hash alone, and it is none of the defaults." in whole
    known = report("w", stories()[0].events, configurations={"c": {"policy": "pessimistic", "limit": None, "x": 0.2}})
    told = Page(render_html(known))
    (settings,) = told.named("dl", "settings")
    assert settings.text.split() == ["policypessimistic", "limitoff", "x0.2"]


def test_a_symbol_at_two_exchanges_is_told_with_its_exchange() -> None:
    here, there = Story("A", exchange="here"), Story("A", exchange="there")
    for story in (here, there):
        story.trade(0, 5, 1.0)
        story.open(10)
    page = Page(render_html(report("w", [*here.events, *there.events])))
    assert [line[1] for line in page.rows("signals")[1:]] == ["here/A", "there/A"]
    assert [line[0] for line in page.rows("open")[1:]] == ["here/A", "there/A"]


def test_the_larger_a_result_the_darker_its_shade() -> None:
    assert [shade(value, 4.0) for value in (4.0, 3.0, 0.1, 0.0, None, -0.1, -1.1, -4.0)] == [
        *("up4", "up3", "up1", "", "", "down1", "down2", "down4")
    ]
    assert shade(2.0, 2.0, bad=True) == "down4"
    assert shade(0.1 + 0.2, 0.1 + 0.2) == "up4"
    page = Page(render_table_html(heat_table(heat("w", two_symbols()))))
    shaded = {(each.text, each.attributes.get("class")) for each in page.named("td")}
    assert {("+8.000 %", "up4"), ("-2.000 %", "down1")} <= shaded
    # One symbol is neither good nor bad beside no other.
    assert {each.attributes.get("class") for each in Page(PAGES["heat"]()).named("td")} == {None}


def two_symbols() -> list[Event]:
    return [*trades([8.0], symbol="A"), *trades([-2.0], symbol="B")]


def luminance(colour: str) -> float:
    """WCAG 2.2: relative luminance of #rrggbb."""
    parts = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("side", [0, 1], ids=["light", "dark"])
def test_all_text_can_be_read_on_what_is_behind_it(side: int) -> None:
    shades = [name for name in PALETTE if re.fullmatch(r"(up|down)\d", name)]
    pairs = [("ink", name) for name in ("page", "panel", *shades)]
    pairs += [(ink, ground) for ink in ("muted", "won", "lost", "link") for ground in ("page", "panel")]
    assert {pair: contrast(*pair, side) for pair in pairs if contrast(*pair, side) < 4.5} == {}


@pytest.mark.parametrize("side", [0, 1], ids=["light", "dark"])
def test_all_lines_can_be_seen_on_the_page(side: int) -> None:
    """WCAG 2.2, 1.4.11: what must be seen to be understood has 3:1."""
    lines = ("line", "fall", "muted", *(f"line{number}" for number in range(1, LINES + 1)))
    assert {name: contrast(name, "page", side) for name in lines if contrast(name, "page", side) < 3} == {}


def contrast(ink: str, ground: str, side: int) -> float:
    light, dark = sorted((luminance(PALETTE[ink][side]), luminance(PALETTE[ground][side])), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_ten_thousand_signals_are_a_page_of_less_than_four_megabytes() -> None:
    events: list[Event] = []
    for symbol in ("BTCUSDT", "ETHUSDT"):
        story = Story(symbol)
        for number in range(5_000):
            minute = number * DAY_MINUTES / 8
            story.open(minute, note="hourly close over the mean", entry=round(40_000 + number / 7, 2))
            story.close(minute + 60, (number % 7 - 2.9) / 3)
        events += story.events
    page = render_html(report("w", events))
    assert 2_000_000 < len(page.encode()) < 4_000_000
    assert page.count("<tr class=") == 10_000 + 1  # and the heat's last line


extremes = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([0.0, -100.0, 1e308, -1e308, 5e-324])


@given(
    st.integers(-(10**11), 10**11),
    st.lists(st.tuples(st.integers(0, 10**7), st.integers(0, 10**6), extremes), max_size=40),
    st.booleans(),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_happened_is_a_page(start: int, happened: list[tuple[int, int, float]], still: bool) -> None:
    story, minute = Story(), start
    for gap, held, result in happened:
        story.trade(minute + gap, minute + gap + held, result)
        minute += gap + held
    if still:
        story.open(minute + 1)
    page = Page(render_html(report("w", story.events)))
    assert page.named("h1")[0].text == "Live Trading Report: w"
    assert not re.search(r"\b(nan|inf)\b", page.named("body")[0].text)
