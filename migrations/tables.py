"""Every table, by importing every module that holds one."""

from importlib import import_module
from pathlib import Path

from pillweb.base import heartbeat, sealed  # noqa: F401 - they hold tables
from pillweb.base.db import Base
from pillweb.channels import live  # noqa: F401 - the same

PACKAGE = Path(__file__).parents[1] / "pillweb"

for models in sorted(PACKAGE.glob("*/models.py")):
    import_module(f"pillweb.{models.parent.name}.models")

metadata = Base.metadata
