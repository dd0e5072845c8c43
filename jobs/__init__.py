"""What happens with nobody asking.

A job is one file with `oldest(session, now)`, since when its work waits, and
`run()`, which does what its table says and may be run twice, by two, or killed.
Add its line to `timetable.py`, and it is woken, watched and done without Redis.
"""
