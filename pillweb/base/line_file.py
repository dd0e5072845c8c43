"""Files of lines that only grow, whatever a full disk or a power cut left in them."""

import errno
import os
from collections.abc import Sequence
from pathlib import Path


def lines_of(file: Path) -> list[str]:
    """Return the lines of a file, none where there is no file.

    Bytes that are no UTF-8 are replaced: one damaged line hides no other.
    """
    try:
        return file.read_text("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return []


def bring_lines(source: Path, target: Path) -> None:
    """Add to one file the lines of another that it does not have.

    Raises:
        OSError: they cannot be written, or not be read back.
    """
    known = set(lines_of(target))
    if new := [line for line in lines_of(source) if line not in known]:
        add_lines(target, new)


def add_lines(file: Path, lines: Sequence[str]) -> None:
    """Add lines, to the disk itself; a last line that was cut off stays apart.

    Raises:
        OSError: they cannot be written, or not be read back.
    """
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with file.open("ab+") as kept:
        if kept.seek(0, os.SEEK_END):
            kept.seek(-1, os.SEEK_END)
            is_cut_off = kept.read() != b"\n"
            kept.write(b"\n" * is_cut_off)
        kept.write("".join(f"{line}\n" for line in lines).encode())
        kept.flush()
        os.fsync(kept.fileno())
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    if not set(lines) <= set(lines_of(file)):
        raise OSError(errno.EIO, "What was written cannot be read back", str(file))
