"""The web server's entry: granian --interface wsgi psi.wsgi:application."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "psi.settings")
application = get_wsgi_application()

from psi.startup import refuse_if_wrong  # noqa: E402  settings must be loaded first

refuse_if_wrong()
