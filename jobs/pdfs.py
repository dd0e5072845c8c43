"""How jobs build the PDFs that rows want: claim, print, keep."""

from collections.abc import Callable

from jobs.runtime import transaction
from pillweb.base.built_rows import PdfRow, claim_row, keep_pdf
from pillweb.base.log import log


def build_pdfs(
    kind: type[PdfRow],
    make: Callable[[int], bytes],
    then: Callable[..., object] | None = None,
) -> int:
    """Build the PDF of every row that wants one; return how many were built.

    `make` prints one by its id. `then` is what follows a PDF that was still wanted,
    in the transaction that keeps it.
    """
    done = 0
    while (claimed := _claim(kind)) is not None:
        row_id, given_up = claimed
        if given_up:
            log.error("pdf_failed", table=kind.__tablename__, row=row_id)
            continue
        done += _build(kind, row_id, make, then)
    return done


def _claim(kind: type[PdfRow]) -> tuple[int, bool] | None:
    """Lease one row; return its id and whether it was tried often enough."""
    with transaction() as (session, now):
        row = claim_row(session, kind, now=now)
        return None if row is None else (row.id, row.state == "failed")


def _build(
    kind: type[PdfRow],
    row_id: int,
    make: Callable[[int], bytes],
    then: Callable[..., object] | None,
) -> bool:
    """Build one PDF; one that cannot be built must not stop the others."""
    table = kind.__tablename__
    try:
        pdf = make(row_id)
        with transaction() as (session, now):
            kept = keep_pdf(session, kind, row_id, pdf=pdf, now=now)
            if kept and then:
                then(session, row_id, now=now)
    except Exception:  # noqa: BLE001 - it is leased, and tried again after that
        log.exception("pdf_unbuilt", table=table, row=row_id)
        return False
    log.info("pdf_built", table=table, row=row_id, bytes=len(pdf), kept=kept)
    return kept
