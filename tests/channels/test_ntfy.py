from collections.abc import Iterator

import pytest

from pillweb.base.errors import InvalidError
from pillweb.channels import Answer, Message, SendError, ntfy
from tests.conftest import use_settings
from tests.providers import Provider, Reply, error, fake_provider, redirect_to

TOPIC = "pillweb-9fQ2xLr7Vb0Zt5Kd_"
LINK = "https://pills.example/t/abc"


@pytest.fixture(autouse=True)
def provider() -> Iterator[Provider]:
    with fake_provider() as started:
        use_settings(NTFY_HOSTS=f"{started.url}, ntfy.sh", NTFY_TOKEN="")
        yield started
        use_settings(NTFY_HOSTS="ntfy.sh", NTFY_TOKEN="")


def message(provider: Provider, **facts: object) -> Message:
    words = {
        "key": "dose_due:1:p1:1:0",
        "recipient": f"{provider.url}/{TOPIC}",
        "subject": "Reminder for 8am",
        "short": "It is time for your 8am medicines.",
        "text": "",
        "topic": "dose_due:1",
        "link": LINK,
    }
    return Message(**{**words, **facts})  # type: ignore[arg-type]


def send(one: Message) -> str:
    with ntfy.open_channel() as hand_over:
        return hand_over(one).reference


def refusal_of(one: Message) -> SendError:
    with pytest.raises(SendError) as caught:
        send(one)
    return caught.value


def test_a_notification_has_words_a_link_and_buttons(provider: Provider) -> None:
    answers = tuple(
        Answer(verb, label, f"{LINK}/direct/{verb}")
        for verb, label in (("taken", "Taken"), ("later", "In 10 minutes"))
    )
    reference = send(message(provider, answers=answers))
    (call,) = provider.accepted
    assert call.path == "/"
    said = call.json
    assert said.pop("sequence_id").startswith(reference)
    assert said == {
        "topic": TOPIC,
        "title": "Reminder for 8am",
        "message": "It is time for your 8am medicines.",
        "priority": 3,
        "tags": ["pill"],
        "click": LINK,
        "actions": [
            {
                "action": "http",
                "label": one.label,
                "url": one.url,
                "method": "POST",
                "clear": True,
            }
            for one in answers
        ],
    }
    assert "authorization" not in call.headers


@pytest.mark.parametrize(
    ("silent", "urgent", "priority"),
    [(True, False, 2), (False, False, 3), (False, True, 5), (True, True, 2)],
)
def test_it_is_as_loud_as_it_should_be(
    provider: Provider, priority: int, *, silent: bool, urgent: bool
) -> None:
    send(message(provider, is_silent=silent, is_urgent=urgent))
    assert provider.accepted[0].json["priority"] == priority


def test_a_newer_message_replaces_the_older_of_its_topic(provider: Provider) -> None:
    for topic in ("dose_due:1", "dose_due:1", "dose_due:2"):
        send(message(provider, topic=topic))
    one, again, other = (call.json["sequence_id"] for call in provider.accepted)
    assert one == again != other


def test_the_token_goes_to_its_own_server_only(provider: Provider) -> None:
    with fake_provider() as second:
        use_settings(NTFY_HOSTS=f"{provider.url},{second.url}", NTFY_TOKEN="tk_secret")
        send(message(provider))
        send(message(second))
        assert provider.accepted[0].headers["authorization"] == "Bearer tk_secret"
        assert "authorization" not in second.accepted[0].headers


@pytest.mark.parametrize(
    ("status", "is_ours"),
    [(401, True), (413, True), (403, False), (404, False), (429, False), (500, False)],
)
def test_no_answer_ends_a_topic_for_good(
    provider: Provider, status: int, *, is_ours: bool
) -> None:
    provider.behave(error(status, retry_after=60))
    found = refusal_of(message(provider))
    assert (found.code, found.permanent) == (f"ntfy_{status}", False)
    assert (found.is_ours, found.retry_after_s) == (is_ours, 60)


@pytest.mark.parametrize("body", [b"", b"<html>hello", b'{"id": 7}', b"[]", b"{"])
def test_an_answer_that_is_none_is_no_receipt(provider: Provider, body: bytes) -> None:
    provider.behave(Reply(200, body))
    assert refusal_of(message(provider)).code == "ntfy_answer"


def test_a_redirect_is_not_followed(provider: Provider) -> None:
    provider.script(redirect_to(f"{provider.url}/elsewhere"))
    assert refusal_of(message(provider)).code == "ntfy_307"
    assert len(provider.calls) == 1


def test_an_empty_field_makes_a_topic_nobody_guesses(provider: Provider) -> None:
    made = {ntfy.read_address(" ") for _ in range(20)}
    assert len(made) == 20
    for address in made:
        assert address.startswith(f"{provider.url}/pillweb-")
        assert ntfy.read_address(address) == address


@pytest.mark.parametrize(
    "typed",
    [
        "rosa",
        f"https://evil.example/{TOPIC}",
        f"https://ntfy.sh.evil.example/{TOPIC}",
        f"https://ntfy.sh@evil.example/{TOPIC}",
        f"http://ntfy.sh/{TOPIC}",
        f"https://ntfy.sh/x/{TOPIC}",
        f"http://127.0.0.1:1/{TOPIC}",
        "/",
    ],
)
def test_another_server_is_not_used(provider: Provider, typed: str) -> None:
    with pytest.raises(InvalidError, match=r"^Begin with http"):
        ntfy.read_address(typed)


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "rosa",
        "a" * 40,
        "ab" * 20,
        "rosa pills for the 8am dose",
        TOPIC + "?x=1",
        TOPIC + "\r\nHost: evil",
        "وردة" * 8,
    ],
)
def test_a_topic_that_can_be_guessed_is_refused(topic: str) -> None:
    with pytest.raises(InvalidError, match="secret one"):
        ntfy.read_address(f"https://ntfy.sh/{topic}")


def test_a_server_that_is_no_longer_ours_gets_nothing(provider: Provider) -> None:
    one = message(provider)
    use_settings(NTFY_HOSTS="ntfy.sh")
    assert refusal_of(one).code == "ntfy_server"
    assert provider.calls == []


def test_without_a_server_there_is_none() -> None:
    assert ntfy.is_ready()
    use_settings(NTFY_HOSTS="")
    assert not ntfy.is_ready()
