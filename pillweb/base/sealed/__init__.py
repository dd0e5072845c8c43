"""Columns that only the right key reads, in the row and column they were written to.

Each patient has a key of their own, the house has one for rows of nobody. They stand
in `data_key`, wrapped by FIELD_KEYS. A value is bound to its table, column and row
and locked by the key of whose row it is: moved to another row, column or patient it
is unreadable, and so is all of a patient whose key was deleted.

Reading: every `select` of such a column brings the row's key and the wrapped key
along (`_located`), so that nothing is asked apart and a deleted key is gone at once.
Writing: a row has its id before it is inserted; rows of the session are sealed when it
flushes, rows of Core statements by `sealed_rows` and `sealed_value`. A text that was
not sealed is refused.
"""

from pillweb.base.sealed.columns import (
    HOUSE,
    DataKey,
    SealedBytes,
    SealedJson,
    SealedText,
    UnsealedError,
    located,
    read_text,
    sealed_columns,
)
from pillweb.base.sealed.moving import by_key, rotate, standing
from pillweb.base.sealed.writing import (
    key_for,
    key_or_house,
    make_keys,
    sealed_rows,
    sealed_value,
)

__all__ = [
    "HOUSE",
    "DataKey",
    "SealedBytes",
    "SealedJson",
    "SealedText",
    "UnsealedError",
    "by_key",
    "key_for",
    "key_or_house",
    "located",
    "make_keys",
    "read_text",
    "rotate",
    "sealed_columns",
    "sealed_rows",
    "sealed_value",
    "standing",
]
