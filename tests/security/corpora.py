"""What is typed by somebody who means harm, by kind."""

CANARY = "\"><img src=x onerror=alert(1)>'{{7*7}}"
BROKEN_OUT = "<img src=x"
WORKED_OUT = "'49"

# What a form may hold besides words (OWASP ASVS 5.0, 1.3, 2.2 and 15.3).
TYPED = {
    "a null byte": "a\x00b",
    "line ends": "a\r\nSet-Cookie: evil=1\r\n\r\n<b>",
    "controls": "\x1b[31m\x08\x7f\u202e\ufeff",
    "half a character": "\ud800",
    "a formula": "=cmd|' /C calc'!A0",
    "a path": "../../../../etc/passwd",
    "a quote": "' or '1'='1' --",
    "a template": "{{ config }}${7*7}<%= 7 %>",
    "a long word": "a" * 100_000,
    "a large number": "9" * 400,
    "a tiny number": "1e-400",
    "no number": "NaN",
    "minus": "-1",
    "a number of another script": "٣",
    "an early date": "0000-00-00",
    "a late date": "9999-12-31",
    "json": '{"a": [1, {"b": null}]}',
    "a deep json": "[" * 50_000 + "]" * 50_000,
    "canary": CANARY,
}

# What a log line must not be made of (ASVS 16.4.1).
LOGGED = (
    'a\nERROR {"event": "signed_in"}',
    "a\r\n\r\nforged",
    "a\x1b[2J\x1b[1;31mred",
    "a\u2028forged",
    "a\x00b",
)

# Requests of two lengths, and others that a proxy may read in another way (RFC 9112).
SMUGGLED = {
    "both lengths": b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
    "two lengths": b"Content-Length: 5\r\nContent-Length: 6\r\n",
    "a length in words": b"Content-Length: +5\r\n",
    "an unknown coding": b"Transfer-Encoding: xchunked\r\n",
    "a coding with a tab": b"Transfer-Encoding:\x0bchunked\r\n",
    "a folded line": b"X-One: a\r\n b\r\n",
    "a name with a space": b"Content-Length : 5\r\n",
    "a name with an underscore": b"Content_Length: 5\r\n",
}
