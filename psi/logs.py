"""What the log says of a request: its route, never the address; a traceback for faults of ours alone."""

import logging
from http import HTTPStatus


class RouteOnly(logging.Filter):
    """Write the route in place of the path, which holds a site, a reference, a token or what somebody typed."""

    def filter(self, record: logging.LogRecord) -> bool:
        request = getattr(record, "request", None)
        if hasattr(request, "path") and isinstance(record.args, tuple):
            match = getattr(request, "resolver_match", None)
            route = match.route if match else "no address of ours"
            record.args = tuple(route if arg == request.path else arg for arg in record.args)
            if getattr(record, "status_code", 0) < HTTPStatus.INTERNAL_SERVER_ERROR:
                record.exc_info = record.exc_text = None
        return True
