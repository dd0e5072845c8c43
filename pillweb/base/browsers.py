"""What browsers are called, as their people would say it."""

from pillweb.base.i18n import gettext as _

_BRANDS = (
    ("Microsoft Edge", "Edge"),
    ("Opera", "Opera"),
    ("Samsung Internet", "Samsung Internet"),
    ("Brave", "Brave"),
    ("Google Chrome", "Chrome"),
)
# The first that fits: nearly all of them say that they are Chrome and Safari, too.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("iPad", "iPad"),
    ("iPhone", "iPhone"),
    ("Android", "Android"),
    ("CrOS", "Chromebook"),
    ("Windows", "Windows"),
    ("Macintosh", "Mac"),
    ("Linux", "Linux"),
)


def browser_name(user_agent: str, brands: str = "") -> str:
    """Return what a browser is called, from its User-Agent and Sec-CH-UA.

    >>> browser_name("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0")
    'Firefox on Linux'
    """
    named = next((name for brand, name in _BRANDS if f'"{brand}"' in brands), "")
    browser = named or next((n for part, n in _BROWSERS if part in user_agent), "")
    system = next((name for part, name in _SYSTEMS if part in user_agent), "")
    if browser and system:
        return _("%(browser)s on %(device)s", browser=browser, device=system)
    return browser or system or _("A browser")
