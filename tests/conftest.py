"""What a test registers is forgotten after it: names are global, and no test may meet another's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tickfold.frame import FRAMES
from tickfold.risk import RISKS
from tickfold.sources import EXCHANGES
from tickfold.strategy import STRATEGIES


@pytest.fixture(autouse=True)
def _names_as_they_were() -> Iterator[None]:
    registries = [vars(registry)["_things"] for registry in (STRATEGIES, EXCHANGES, FRAMES, RISKS)]
    before = [dict(things) for things in registries]
    yield
    for things, names in zip(registries, before, strict=True):
        things.clear()
        things.update(names)
