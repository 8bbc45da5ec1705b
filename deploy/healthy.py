"""Health check of the web container: exits 0 when /healthz answers 200."""

import http.client
import os
import sys

# Only a host we answer for gets an answer; behind the proxy every request came by https.
host = os.environ.get("PSI_ALLOWED_HOSTS", "localhost").split(",")[0].lstrip(".")
connection = http.client.HTTPConnection("127.0.0.1", 8000, timeout=4)
connection.request("GET", "/healthz", headers={"Host": host, "X-Forwarded-Proto": "https"})
sys.exit(0 if connection.getresponse().status == 200 else 1)
