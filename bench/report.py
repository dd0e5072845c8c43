"""What does a report cost beyond WeasyPrint's own work on its finished HTML?"""

import statistics
from datetime import timedelta
from importlib import import_module
from pathlib import Path

from bench.people import ZONE, year_of
from bench.place import SQLITE, new_database
from bench.table import Answer, interleaved, ratio
from jobs.build_reports import print_report
from pillweb.base.clock import now
from pillweb.base.db import database
from pillweb.base.pdf import load_printer
from pillweb.base.render import render, report_css
from pillweb.reports.queries import gather_report
from pillweb.reports.rules import ReportPage, period_ending

ROUNDS = 15


def answer(folder: Path) -> Answer:
    """Measure it in a process that has printed before."""
    found = Answer("report")
    with new_database(SQLITE, folder):
        at = now()
        with database().transaction() as session:
            patient_id, _ = year_of(session, now=at, zone=ZONE)
        first, last = period_ending((at - timedelta(days=1)).date())

        def gather() -> ReportPage:
            with database().reading() as session:
                return gather_report(
                    session, patient_id, first=first, last=last, now=at
                )

        html, css = render("reports/adherence.html", report=gather()), report_css()
        printer = load_printer()
        fonts = import_module("weasyprint.text.fonts")

        def print_bare() -> bytes:
            known = fonts.FontConfiguration()
            style = printer.CSS(string=css, font_config=known)
            made: bytes = printer.HTML(string=html).write_pdf(
                stylesheets=[style], font_config=known
            )
            return made

        timed = interleaved(
            {"ours": lambda: print_report(gather()), "bare": print_bare},
            rounds=ROUNDS,
        )
        each = statistics.median(timed["ours"])
        found.add(
            "report, time / WeasyPrint on the same HTML",
            ratio(timed, "ours", "bare"),
            at_most=1.3,
            detail=f"{each * 1000:.0f} ms",
        )
        size = len(print_report(gather())) / 1000
        found.add("report, size", size, unit="kB")
    return found
