"""Bare Flask's hello: what every page is compared with."""

from flask import Flask

app = Flask("hello")


@app.get("/")
def hello() -> str:
    """Say hello."""
    return "Hello, World!"
