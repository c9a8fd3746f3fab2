"""How the block at the foot of a report is said: where its events come from, and what made them."""

from __future__ import annotations

from collections.abc import Iterable

from .notation import number
from .report import Provenance, Setting
from .trades import Made

PROVENANCE = ("Stream", "Events", "Head hash", "Starts", "Version", "Strategy hash", "Configuration hash")
"""The columns of its table."""


def made_texts(made: Iterable[Made]) -> tuple[str, str, str]:
    """Versions, hashes of strategies and of configurations, each once, in the order of their first start."""
    found = list(made)
    parts = (
        [each.version for each in found],
        [each.strategy_hash for each in found],
        [each.config_hash for each in found],
    )
    versions, strategies, configs = (", ".join(dict.fromkeys(part)) or "N/A" for part in parts)
    return versions, strategies, configs


def configurations(streams: Iterable[Provenance]) -> dict[str, dict[str, Setting]]:
    """The configurations whose values are known, by their hashes."""
    return {each.made[-1].config_hash: each.configuration for each in streams if each.configuration is not None}


def setting_text(value: Setting) -> str:
    """A value of a configuration."""
    if isinstance(value, bool) or value is None:
        return {True: "on", False: "off", None: "off"}[value]
    return number(value) if isinstance(value, float | int) else value
