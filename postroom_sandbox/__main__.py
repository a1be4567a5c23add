"""`python -m postroom_sandbox`."""

import sys

from postroom_sandbox.cli import main

sys.exit(main())
