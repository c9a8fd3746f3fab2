"""What is made from the code and stands in the pages: transcripts, the reference, the drawing of the machine.

`python -m tests.docs.generated` writes all of it anew.
"""

from __future__ import annotations

import re
import subprocess
import sys

from tests.docs.pages import ROOT
from tests.docs.reference import reference

RULES = ROOT / "docs" / "rules.md"
REFERENCE = ROOT / "docs" / "reference.md"
TRANSCRIPTS = ROOT / "tests" / "engine" / "transcripts"

_TRANSCRIPT = re.compile(r"(<!-- transcript: (?P<name>[\w-]+) -->\n)(```text\n.*?^```\n)?", re.MULTILINE | re.DOTALL)
_RULE = re.compile(r"^rule: .*\n", re.MULTILINE)


def with_transcripts(text: str) -> str:
    """A page, below each mark the transcript that it names, without the line that says where its rule stands."""

    def shown(found: re.Match[str]) -> str:
        story = (TRANSCRIPTS / f"{found['name']}.txt").read_text(encoding="utf-8")
        told = _RULE.sub("", story).rstrip()
        return f"{found[1]}```text\n{told}\n```\n"

    return _TRANSCRIPT.sub(shown, text)


def write_all() -> None:
    """Write what is generated into its pages."""
    RULES.write_text(with_transcripts(RULES.read_text(encoding="utf-8")), encoding="utf-8")
    REFERENCE.write_text(reference(), encoding="utf-8")
    subprocess.run([sys.executable, "-m", "tests.support.machine"], cwd=ROOT, check=True)


if __name__ == "__main__":
    write_all()
