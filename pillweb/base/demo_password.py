"""The demo family's password: random, made once a machine, never a default."""

import os
import secrets
from pathlib import Path

from pillweb.base.config import settings

WORDS = (
    "apple bread chair cloud daisy eagle field grape honey island jacket kettle "
    "lemon maple needle ocean pearl quilt river spoon table umber violet window "
    "yellow zebra basket candle dragon feather garden hammer"
)


def demo_password() -> str:
    """Return the password, made and kept for this machine's owner at first use.

    Four words of 32 and four digits: 33 bits, behind a limit of 20 tries an hour.
    """
    file = Path(settings().var_dir) / "demo-password"
    if not file.exists():
        words = [secrets.choice(WORDS.split()) for _ in range(4)]
        text = "-".join([*words, str(1000 + secrets.randbelow(9000))])
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as out:
            out.write(text)
    return file.read_text()
