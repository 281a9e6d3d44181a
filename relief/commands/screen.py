"""Where commands speak: answers on one stream, remarks on the other.

No markup: what is printed may come from a file, and brackets in it are only brackets. In a pipe lines are as long as they need to be.
"""

from __future__ import annotations

import sys

from rich.console import Console

_PIPE_WIDTH = 240

out = Console(markup=False, highlight=False, width=None if sys.stdout.isatty() else _PIPE_WIDTH)
err = Console(markup=False, highlight=False, stderr=True, width=None if sys.stderr.isatty() else _PIPE_WIDTH)
