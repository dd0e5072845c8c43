"""What an elder reads of the day is said in short sentences: domain 5.2, item 31."""

import re

from tools.words import said_words

MINE = ("doses/", "adherence/", "reminders/", "messages/dose", "messages/too_much")
LONGEST = 20
ENDS = re.compile(r"[.?!:](?:\s|$)")


def test_no_sentence_has_more_than_twenty_words() -> None:
    found = said_words()
    said = {
        message.id if isinstance(message.id, str) else message.id[1]
        for message in found
        if message.id
        and any(part in file for part in MINE for file, _ in message.locations)
    }
    assert len(said) > 100
    long = {
        sentence
        for words in said
        for sentence in ENDS.split(re.sub(r"<[^>]+>", "", words))
        if len(sentence.split()) > LONGEST
    }
    assert long == set()
