"""/openapi.json is true: whatever it allows is answered as it says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.core.result import Ok

from tests.web import journals
from tests.web.journals import A
from tests.web.test_serve import served
from tickfold_projections.web.questions import QUESTIONS


def test_whatever_the_description_allows_is_answered_as_it_says(tmp_path: Path) -> None:
    journals.written(tmp_path / "data", A, journals.story(A, 2))
    asked: set[str] = set()
    with served(tmp_path, "--port", "0") as (process, url):
        schema = schemathesis.openapi.from_url(f"{url}openapi.json")
        for found in schema.get_all_operations():
            operation: Any = found.ok() if isinstance(found, Ok) else None
            assert operation is not None
            if operation.path == "/api/events":  # it has no end
                continue
            asked.add(operation.path)

            @settings(
                max_examples=8,
                deadline=None,
                database=None,
                suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
            )
            @given(case=operation.as_strategy())
            def ask(case: Any) -> None:
                case.call_and_validate()

            ask()
        assert process.poll() is None
    assert asked == {question.path for question in QUESTIONS} - {"/api/events", "/openapi.json"}
