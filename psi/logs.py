"""What the log says of a request: its route, never the address; a traceback for faults of ours alone."""

import logging
import re
from http import HTTPStatus
from typing import Any

# What PostgreSQL adds to a refusal: the values of the row, a name among them.
ROW = re.compile(r"^DETAIL:.*?(?=^(?:HINT|CONTEXT|LINE|Traceback|The above|During)|\Z)", re.MULTILINE | re.DOTALL)


class WithoutRows(logging.Formatter):
    """Leave the values of a row out of a traceback."""

    def formatException(self, ei: Any) -> str:  # noqa: N802  the name is of logging
        return ROW.sub("DETAIL: left out\n", super().formatException(ei)).rstrip()


class RouteOnly(logging.Filter):
    """Write the route in place of the path, which holds a site, a reference, a token or what somebody typed."""

    def filter(self, record: logging.LogRecord) -> bool:
        request = getattr(record, "request", None)
        if request is not None and hasattr(request, "path") and isinstance(record.args, tuple):
            match = getattr(request, "resolver_match", None)
            route = match.route if match else "no address of ours"
            record.args = tuple(route if arg == request.path else arg for arg in record.args)
            if getattr(record, "status_code", 0) < HTTPStatus.INTERNAL_SERVER_ERROR:
                record.exc_info = record.exc_text = None
        return True
