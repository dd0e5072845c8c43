"""ZIP files from outside, looked through before anything in them is unpacked.

A name in it is only ever compared, never a path of ours; what is unpacked is never more
than was looked for, whatever the file says of itself.
"""

import stat
import struct
import zipfile
import zlib
from collections.abc import Collection
from io import BytesIO
from typing import NamedTuple

MEGABYTE = 10**6
MOST_BYTES = 60 * MEGABYTE
MOST_UNPACKED = 400 * MEGABYTE
MOST_ENTRIES = 5000
# Rows of one kind are alike: ours shrink to a fifteenth. A bomb's do to a thousandth.
MOST_SHRUNK = 150
SMALL = MEGABYTE
READ = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
ENCRYPTED = 0x1
DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, OSError)
# The end record (APPNOTE 4.3.16) without its comment; before it stands, where the file
# is a ZIP64, the locator of another one (4.3.15).
END, END_MARK, LONGEST_COMMENT = struct.Struct("<4s4H2LH"), b"PK\x05\x06", 0xFFFF
LOCATOR_64, LOCATOR_BYTES = b"PK\x06\x07", 20
# An entry of ours takes 80 bytes of the list of names.
MOST_DIRECTORY = MOST_ENTRIES * 100


class BadArchiveError(ValueError):
    """The file is no ZIP file that we unpack."""


class Archive(NamedTuple):
    """A ZIP file that was looked through."""

    file: zipfile.ZipFile
    names: Collection[str]


def open_archive(raw: bytes) -> Archive:
    """Return a ZIP file from outside, with nothing of it unpacked yet.

    Raises:
        BadArchiveError: it is none, too large, or not one that anybody made honestly.
    """
    if len(raw) > MOST_BYTES:
        raise BadArchiveError("larger than a file of ours")
    _look_at_end(raw)
    try:
        file = zipfile.ZipFile(BytesIO(raw))
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as problem:
        raise BadArchiveError("no ZIP file") from problem
    found = file.infolist()
    if len(found) > MOST_ENTRIES or len({one.filename for one in found}) < len(found):
        raise BadArchiveError("too many entries, or one name twice")
    if sum(one.file_size for one in found) > MOST_UNPACKED:
        raise BadArchiveError("too much to unpack")
    for entry in found:
        _look_at(entry)
    return Archive(file, frozenset(one.filename for one in found))


def _look_at_end(raw: bytes) -> None:
    """Refuse a list of more names than a file of ours has, before any is read.

    It looks where `zipfile` looks for the end record. None of ours is a ZIP64.
    """
    at = len(raw) - END.size
    if not (raw.startswith(END_MARK, at) and raw.endswith(b"\0\0")):
        at = raw.rfind(END_MARK, max(0, at - LONGEST_COMMENT - 1))
    if not 0 <= at <= len(raw) - END.size:
        raise BadArchiveError("no ZIP file")
    *_, entries, size, _offset, _comment = END.unpack_from(raw, at)
    if entries > MOST_ENTRIES or size > MOST_DIRECTORY:
        raise BadArchiveError("too many entries")
    if raw.startswith(LOCATOR_64, max(0, at - LOCATOR_BYTES)):
        raise BadArchiveError("larger than a file of ours")


def _look_at(entry: zipfile.ZipInfo) -> None:
    name, kind = entry.filename, stat.S_IFMT(entry.external_attr >> 16)
    is_elsewhere = name.startswith("/") or ".." in name.split("/")
    if is_elsewhere or not name.isprintable() or "\\" in name or ":" in name:
        raise BadArchiveError("a name that leads elsewhere")
    if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        raise BadArchiveError("an entry that is no file")
    if entry.flag_bits & ENCRYPTED or entry.compress_type not in READ:
        raise BadArchiveError("packed in a way we do not read")
    if entry.file_size > max(SMALL, entry.compress_size * MOST_SHRUNK):
        raise BadArchiveError("unpacks to far more than it is")


def read_entry(archive: Archive, name: str, *, most: int) -> bytes:
    """Return one unpacked file of at most so many bytes.

    Raises:
        BadArchiveError: there is none, it is larger, or it is damaged.
    """
    if name not in archive.names:
        raise BadArchiveError("something is missing")
    try:
        with archive.file.open(name) as unpacked:
            raw = unpacked.read(most + 1)
            is_more = len(raw) > most
    except (*DAMAGED, NotImplementedError) as problem:
        raise BadArchiveError("damaged, or packed in a way we do not read") from problem
    if is_more:
        raise BadArchiveError("larger than such a file is")
    return raw
