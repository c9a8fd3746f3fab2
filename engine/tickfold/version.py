"""The version that `started` events name."""

from importlib.metadata import version

VERSION = version("tickfold")
