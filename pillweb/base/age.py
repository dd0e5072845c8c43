"""Files sealed into one: a tar, packed by gzip, encrypted by age.

The construction is age's own (https://age-encryption.org/v1, by rage): X25519 to one
or more recipients, the body in pieces of 64 kB by ChaCha20-Poly1305 (STREAM), so that
a piece that was changed, moved or cut off is refused. Nothing is ever whole in memory.
"""

import contextlib
import gzip
import io
import os
import tarfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from threading import Thread
from typing import BinaryIO

from pyrage import DecryptError, IdentityError, RecipientError, decrypt_io, encrypt_io
from pyrage.x25519 import Identity, Recipient

PIECE = 1 << 20
# Enough for what repeats; names and notes are encrypted, and no smaller by any effort.
PACKED = 3


class BackupError(Exception):
    """A backup that could not be made, read or put back, and why.

    `code` is a word for rows and logs; the text is a sentence for who runs PillWeb.
    """

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


def new_key() -> str:
    """Return a new secret key, as age writes one."""
    return str(Identity.generate())


def recipient_of(key: str) -> str:
    """Return whom to encrypt for, so that this secret key opens it."""
    return str(_identity(key).to_public())


def is_recipient(text: str) -> bool:
    """Say whether age could encrypt for this."""
    try:
        Recipient.from_str(text)
    except RecipientError:
        return False
    return True


def _identity(key: str) -> Identity:
    """Read a secret key: the line of it, among comments as age writes them."""
    lines = (line.strip() for line in key.splitlines())
    try:
        return Identity.from_str(next((one for one in lines if one[:1] != "#"), ""))
    except IdentityError:
        raise BackupError(
            "no_key", "This is no backup key: one begins with AGE-SECRET-KEY-1."
        ) from None


@contextlib.contextmanager
def _pipe(fill: Callable[[BinaryIO], None]) -> Iterator[BinaryIO]:
    """Yield what another thread writes; raise what stopped it, at the end."""
    read_end, write_end = os.pipe()
    failed: list[BaseException] = []

    def work() -> None:
        try:
            with open(write_end, "wb") as sink:  # noqa: PTH123 - a file that is open
                fill(sink)
        except BrokenPipeError:
            pass  # Whoever read has stopped, and says why.
        except BaseException as error:  # noqa: BLE001 - told where it is waited for
            failed.append(error)

    hand = Thread(target=work, daemon=True)
    hand.start()
    try:
        with open(read_end, "rb") as source:  # noqa: PTH123 - the same
            yield source
    finally:
        hand.join()
        if failed:
            raise failed[0]


def seal(sink: BinaryIO, files: Mapping[str, Path], recipients: Sequence[str]) -> None:
    """Write these files, by these names, so that only the recipients can read them.

    Raises:
        OSError: one cannot be read, or the disk is full.
        pyrage.EncryptError: the same, told by age.
    """

    def fill(pipe: BinaryIO) -> None:
        with (
            gzip.GzipFile(
                fileobj=pipe, mode="wb", compresslevel=PACKED, mtime=0
            ) as zipped,
            tarfile.open(fileobj=zipped, mode="w|", bufsize=PIECE) as tar,
        ):
            for name, path in files.items():
                member = tarfile.TarInfo(name)
                with path.open("rb") as file:
                    member.size = os.fstat(file.fileno()).st_size
                    tar.addfile(member, file)

    with _pipe(fill) as plain:
        encrypt_io(plain, sink, [Recipient.from_str(one) for one in recipients])


def unseal(
    source: BinaryIO, folder: Path, names: Sequence[str], *, key: str
) -> dict[str, Path]:
    """Read those of the sealed files that have these names into a folder.

    Whatever else is in there, and what is no plain file, is left out.

    Raises:
        BackupError: the key is another one, or the file is not as it was made. What
            stands in the folder by then is worth nothing.
        OSError: the disk is full.
    """
    identity = _identity(key)

    def fill(pipe: BinaryIO) -> None:
        try:
            decrypt_io(source, pipe, [identity])
        except DecryptError as error:
            raise _refused(error) from None
        except BrokenPipeError:
            raise
        except OSError:
            raise _damaged() from None

    found = {}
    try:
        with _pipe(fill) as plain:
            try:
                with (
                    gzip.GzipFile(fileobj=plain) as zipped,
                    tarfile.open(fileobj=zipped, mode="r|", bufsize=PIECE) as tar,
                ):
                    for member in tar:
                        if member.isfile() and member.name in names:
                            found[member.name] = folder / member.name
                            _extract(tar, member, found[member.name])
                    _drain(zipped)
            finally:
                _drain(plain)
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile):
        raise _damaged() from None
    return found


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
    source = tar.extractfile(member)
    with path.open("xb") as sink:
        while source and (piece := source.read(PIECE)):
            sink.write(piece)


def _drain(source: BinaryIO | io.BufferedIOBase) -> None:
    """Read to the end: only there age and gzip know that nothing is missing."""
    while source.read(PIECE):
        pass


def _refused(error: DecryptError) -> BackupError:
    if "No matching keys" in str(error):
        return BackupError(
            "wrong_key", "This backup was made for another key than the one here."
        )
    return _damaged()


def _damaged() -> BackupError:
    return BackupError(
        "damaged", "This backup is damaged or cut off: it is not as it was made."
    )
