from tests.jobs.conftest import moment, told

__all__ = ["moment", "told"]
