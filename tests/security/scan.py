"""Scans a running site with Wapiti, signed in: `python -m tests.security.scan`.

It takes at most ten minutes, and fails when anything of medium weight or more is found,
or when anything makes a page fail.
"""

import json
import subprocess
import sys
import tempfile
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener

from pillweb.portals.rules import ELDER
from tests.e2e.site import Site, running_site
from tests.services import ROOT
from tests.world import CSRF

WAPITI = ROOT / ".venv" / "security" / "bin" / "wapiti"
MODULES = (
    "cookieflags,crlf,csp,csrf,exec,file,http_headers,methods,permanentxss,redirect,"
    "sql,upload,xss"
)
SCAN_S, ATTACK_S, LONGEST_S = 120, 60, 600
MEDIUM = 2
# What would end the scan's own session, or is not ours.
LEFT_ALONE = ("/sign-out", "/account/sessions/", "/static/", "/mailbox")
# Of a site on http://127.0.0.1 only; with https they are tested in tests/house.
FAILURES = ("Internal Server Error",)


def cookie_of(site: Site) -> str:
    """Sign in as the elder of the demo family, and return the cookie."""
    jar = CookieJar()
    browser = build_opener(HTTPCookieProcessor(jar))
    address = f"{site.url}/sign-in/password"
    found = CSRF.search(browser.open(address).read().decode())
    if found is None:
        raise RuntimeError("There is no form to sign in by.")
    form = {
        "csrf_token": found[1],
        "email": ELDER[1],
        "password": site.facts["password"],
    }
    browser.open(address, urlencode(form).encode())
    return "; ".join(f"{one.name}={one.value}" for one in jar)


def scan(site: Site, wapiti: Path, folder: Path) -> dict[str, list[dict[str, object]]]:
    """Return what was found, by kind."""
    report = folder / "report.json"
    command = [str(wapiti), "--url", f"{site.url}/people", "--scope", "domain"]
    command += ["--module", MODULES, "--cookie-value", cookie_of(site)]
    command += ["--drop-set-cookie", "--scan-force", "polite", "--flush-session"]
    command += ["--max-scan-time", str(SCAN_S), "--max-attack-time", str(ATTACK_S)]
    command += ["--store-session", str(folder), "--store-config", str(folder)]
    command += ["--format", "json", "--output", str(report), "--no-bugreport"]
    command += ["--verbose", "0"]
    for path in LEFT_ALONE:
        command += ["--exclude", f"{site.url}{path}*"]
    subprocess.run(command, check=True, timeout=LONGEST_S)
    found = json.loads(report.read_text("utf-8"))
    failed = {kind: found["anomalies"].get(kind, []) for kind in FAILURES}
    return {**found["vulnerabilities"], **failed}


def main(arguments: list[str]) -> int:
    """Scan, say what was found, and give the exit code."""
    wapiti = Path(arguments[0]) if arguments else WAPITI
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "site").mkdir()
        with running_site(folder / "site", "tests.e2e.family") as site:
            found = scan(site, wapiti, folder)
    grave = 0
    for kind, ones in found.items():
        for one in ones:
            grave += int(str(one["level"])) >= MEDIUM
            words = (kind, one["level"], one["method"], one["path"], one["info"])
            print("wapiti:", *words)  # noqa: T201 - it speaks to the terminal
    print(f"wapiti: {grave} findings of medium weight or more")  # noqa: T201
    return 1 if grave else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
