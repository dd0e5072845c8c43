"""Loads the shared libraries that WeasyPrint wants where the system has none.

The set-up puts them into the virtual environment, in the folder `native`. The system's
loader does not look there, so they are opened by path before WeasyPrint asks for them
by name.
"""

import ctypes
import os
import sys
from pathlib import Path


def load_native_libraries(folder: Path = Path(sys.prefix) / "native") -> None:
    """Open every library of the folder, so that `import weasyprint` finds them.

    Does nothing where the folder does not exist: then the system has them all. To be
    called before `import weasyprint`; more than one call does no harm.

    Raises:
        OSError: a library cannot be opened, whatever comes before it.
    """
    waiting = sorted((folder / "lib").glob("*.so.*"))
    while waiting:
        failed: list[Path] = []
        for library in waiting:
            # One library needs another, and their order is not known.
            try:
                ctypes.CDLL(str(library), mode=ctypes.RTLD_GLOBAL)
            except OSError:
                failed.append(library)
        if len(failed) == len(waiting):
            ctypes.CDLL(str(failed[0]), mode=ctypes.RTLD_GLOBAL)
        waiting = failed
    fonts = folder / "fonts.conf"
    if fonts.is_file() and not Path("/etc/fonts/fonts.conf").is_file():
        os.environ.setdefault("FONTCONFIG_FILE", str(fonts))
