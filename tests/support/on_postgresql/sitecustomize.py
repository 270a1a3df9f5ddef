"""Read by each Python that tests start while they store in PostgreSQL; see ``tests.support.stores``."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[3]))

from tests.support.stores import redirect

redirect()
