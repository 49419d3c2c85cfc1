"""``python -m apisim`` is ``apisim``."""

import sys

from apisim.cli.main import main

sys.exit(main())
