"""`python -m psi.local`: see psi.local.run."""

import sys

from psi.local.run import main

sys.exit(main(sys.argv[1:]))
