"""Links lead somewhere, and what the pages name as a file of the project is there."""

from __future__ import annotations

import pytest

from tests.docs import pages


def broken_links(page: str, text: str) -> list[str]:
    return [target for target in pages.links(text) if not _leads_somewhere(page, text, target)]


def _leads_somewhere(page: str, text: str, target: str) -> bool:
    if target.startswith("https://"):
        return True  # no test asks the network
    place, _, anchor = target.partition("#")
    path = (pages.ROOT / page).parent / place if place else pages.ROOT / page
    if not path.exists():
        return False
    there = text if not place else path.read_text(encoding="utf-8") if path.suffix == ".md" else ""
    return not anchor or anchor in pages.anchors(there)


@pytest.mark.parametrize("page", pages.pages())
def test_every_link_of_a_page_leads_somewhere(page: str) -> None:
    assert broken_links(page, pages.text_of(page)) == []


@pytest.mark.parametrize("page", pages.pages())
def test_every_file_that_a_page_names_exists(page: str) -> None:
    named = (name.partition("::")[0] for name in pages.named_files(pages.text_of(page)))
    assert [name for name in named if not any(pages.ROOT.glob(name.rstrip("/")))] == []


def test_every_page_can_be_reached_from_the_readme() -> None:
    seen, todo = set[str](), ["README.md"]
    while todo:
        page = todo.pop()
        if page in seen:
            continue
        seen.add(page)
        for target in pages.links(pages.text_of(page)):
            path = ((pages.ROOT / page).parent / target.partition("#")[0]).resolve()
            if path.suffix == ".md" and path.is_relative_to(pages.ROOT):
                todo.append(str(path.relative_to(pages.ROOT)))
    assert set(pages.pages()) - seen == set()


def test_a_link_to_nowhere_is_found() -> None:
    text = "# Here and there\n[a](#here-and-there) [b](#gone) [c](docs/nothing.md) [d](https://example.org)\n"
    assert broken_links("README.md", text) == ["#gone", "docs/nothing.md"]
