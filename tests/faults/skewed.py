"""A process whose clock is wrong: `python -m tests.faults.skewed HOURS MODULE [ARG…]`.

Only the clock of this one process is; that of the database is its own.
"""

import runpy
import sys
from datetime import timedelta

import time_machine

from pillweb.base.clock import now

if __name__ == "__main__":
    hours, module, *rest = sys.argv[1:]
    sys.argv = [module, *rest]
    wrong = now() + timedelta(hours=float(hours))
    with time_machine.travel(wrong, tick=True):
        runpy.run_module(module, run_name="__main__")
