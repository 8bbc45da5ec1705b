"""A worker that releases quarter after quarter, as a process of its own; prints what it took as a line of JSON."""

import json
import sys

import django

if __name__ == "__main__":
    django.setup()
    from bench.telling import Province

    print(json.dumps(Province(float(sys.argv[1]), int(sys.argv[2])).tell(), default=str))
