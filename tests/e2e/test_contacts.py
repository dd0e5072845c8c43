"""A browser becomes a place where messages arrive, or says in words why not."""

from collections.abc import Callable

from tests.e2e.conftest import Visitors

PUBLIC = (
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpk"
    "NtoIAiw4"
)
KEPT = {
    "endpoint": "https://fcm.googleapis.com/fcm/send/one",
    "keys": {"p256dh": PUBLIC, "auth": "BTBZMqHH6r4Tts7J_aSIgg"},
}
# A browser would ask its maker's service, which no test may reach.
SUBSCRIBE = """(kept) => {
  PushManager.prototype.subscribe = async (asked) => {
    if (asked.applicationServerKey.length !== 65) throw new Error("no key");
    return { toJSON: () => kept };
  };
}"""
REFUSE = "() => { Notification.requestPermission = async () => 'denied'; }"
BREAK = "() => { PushManager.prototype.subscribe = async () => { throw Error('x') } }"


def test_a_browser_is_added_by_one_press_and_waits_for_its_test(
    visit: Visitors, next_neighbour: Callable[[], str]
) -> None:
    page = visit("marta")
    page.context.grant_permissions(["notifications"])
    here = f"{next_neighbour()}/contacts"
    page.goto(f"{here}/new/webpush")
    page.evaluate(SUBSCRIBE, KEPT)
    page.get_by_role("button", name="Use this device").click()
    page.wait_for_url(f"**{here}")
    card = page.locator(".cards > li").last
    assert "On this phone or computer" in card.inner_text()
    assert "No answer yet" in card.inner_text()
    assert "fcm.googleapis.com" not in page.content()


def test_a_browser_that_may_not_or_cannot_says_so(
    visit: Visitors, next_neighbour: Callable[[], str]
) -> None:
    page = visit("marta")
    path = f"{next_neighbour()}/contacts/new/webpush"
    page.context.grant_permissions(["notifications"])
    for trick, words in (
        (REFUSE, "This browser may not show messages."),
        (BREAK, "That did not work now."),
    ):
        page.goto(path)
        page.evaluate(trick)
        page.get_by_role("button", name="Use this device").click()
        page.get_by_text(words).wait_for()
        assert page.url.endswith(path)


def test_without_scripts_the_page_says_so_and_offers_no_button(
    visit: Visitors, next_neighbour: Callable[[], str]
) -> None:
    page = visit("marta", scripts=False)
    page.goto(f"{next_neighbour()}/contacts/new/webpush")
    assert page.get_by_text(
        "This browser cannot do it, or scripts are off"
    ).is_visible()
    assert not page.get_by_role("button", name="Use this device").is_visible()
