"""The house's own rules find what they forbid (checklist 2, 4, 5)."""

import pytest

from tools.lint import RULES, broken_rules, main

FORBIDDEN = [
    ("a.html", '<p style="color:red">', 0),
    ("a.html", '<p hx-on:click="x()">', 0),
    ("a.html", "<a onclick='x()'>", 0),
    ("a.html", "<script>x()</script>", 0),
    ("a.html", '<a href="javascript:x()">', 0),
    ("a.html", """<i hx-vals='js:{"a": 1}'>""", 0),
    ("a.html", "{{ name | safe }}", 1),
    ("a.html", "{% autoescape false %}", 1),
    ("a.py", "return Markup(name)", 2),
    ("a.py", "render_template_string(name)", 2),
    ("a.py", "session.execute(text(f'select {x}'))", 3),
    ("a.py", "session.execute(text('select %s' % x))", 3),
    ("a.py", "connection.exec_driver_sql('select ' + x)", 3),
    ("a.py", "import pickle", 4),
    ("a.py", "yaml.load(x)", 4),
    ("a.py", "eval(x)", 4),
    ("a.py", "run(x, shell=True)", 4),
    ("a.py", "re.compile(rf'{typed}s?')", 5),
    ("a.py", "from cryptography.hazmat.primitives.ciphers import Cipher", 6),
]


@pytest.mark.parametrize(("file", "code", "rule"), FORBIDDEN)
def test_what_is_forbidden_is_found_on_its_line(
    file: str, code: str, rule: int
) -> None:
    found = set(broken_rules(file, f"first\n{code}\nlast\n"))
    assert (2, RULES[rule].why) in found


def test_a_comment_of_a_template_may_say_anything_and_keeps_the_lines() -> None:
    text = "{# <p style='x'>\n #}\n<p onclick='x'>"
    assert list(broken_rules("a.html", text)) == [(3, RULES[0].why)]


def test_a_call_of_a_method_named_like_it_is_allowed() -> None:
    assert not list(
        broken_rules("a.py", "model.eval(x)\nre.sub(rf'{re.escape(x)}s', y)")
    )


def test_our_own_code_breaks_no_rule() -> None:
    assert main() == 0
