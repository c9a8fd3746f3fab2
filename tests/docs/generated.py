"""What is made from the code and stands in the pages: transcripts, the reference, the drawing of the machine.

`python -m tests.docs.generated` writes all of it anew.
"""

from __future__ import annotations

import re
import subprocess
import sys

from tests.docs.pages import ROOT
from tests.docs.reference import reference

WITH_TRANSCRIPTS = (ROOT / "docs" / "rules.md", ROOT / "docs" / "running.md")
REFERENCE = ROOT / "docs" / "reference.md"
TRANSCRIPTS = (ROOT / "tests" / "engine" / "transcripts", ROOT / "tests" / "live" / "transcripts")

_TRANSCRIPT = re.compile(r"(<!-- transcript: (?P<name>[\w-]+) -->\n)(```text\n.*?^```\n)?", re.MULTILINE | re.DOTALL)
_RULE = re.compile(r"^rule: .*\n", re.MULTILINE)


def with_transcripts(text: str) -> str:
    """A page, below each mark the transcript that it names, without the line that says where its rule stands."""

    def shown(found: re.Match[str]) -> str:
        paths = (folder / f"{found['name']}.txt" for folder in TRANSCRIPTS)
        story = next(path for path in paths if path.exists()).read_text(encoding="utf-8")
        told = _RULE.sub("", story).rstrip()
        return f"{found[1]}```text\n{told}\n```\n"

    return _TRANSCRIPT.sub(shown, text)


def write_all() -> None:
    """Write what is generated into its pages."""
    for page in WITH_TRANSCRIPTS:
        page.write_text(with_transcripts(page.read_text(encoding="utf-8")), encoding="utf-8")
    REFERENCE.write_text(reference(), encoding="utf-8")
    subprocess.run([sys.executable, "-m", "tests.support.machine"], cwd=ROOT, check=True)


if __name__ == "__main__":
    write_all()
