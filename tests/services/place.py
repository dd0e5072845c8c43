"""Where the checkout is, and how long a server may take to start."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
START_SECONDS = 30.0
