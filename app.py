"""The WSGI app for gunicorn and Flask, and the way in for `python app.py run`."""

import sys

if __name__ == "__main__":
    # Starting the processes must not cost, or fail by, an import of the app.
    from tools.run import main

    sys.exit(main(sys.argv[1:]))
else:
    from pillweb.portals.views.schedule_commands import (
        create_calculator,
        is_calculation,
    )

    if is_calculation(sys.argv):
        app = create_calculator()
    else:
        from pillweb.factory import create_app

        app = create_app()
