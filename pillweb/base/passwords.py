"""Password hashes: Argon2id, at most two at once."""

from functools import cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

# OWASP Password Storage Cheat Sheet, minimum for Argon2id: 19 MiB, 2 rounds, 1 lane.
_hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
_places = BoundedSemaphore(2)


def hash_password(password: str) -> str:
    """Return the Argon2id hash of a password."""
    with _places:
        return _hasher.hash(password)


@cache
def _nobody() -> str:
    return hash_password("nobody has this password")


def password_fits(password: str, stored: str | None) -> bool:
    """Say whether the password is the one; without a hash it takes as long and no."""
    against = stored or _nobody()
    with _places:
        try:
            _hasher.verify(against, password)
        except (VerificationError, InvalidHashError):
            return False
    return stored is not None


def needs_rehash(stored: str) -> bool:
    """Say whether a hash was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(stored)
