# Copyright: the homestead.matrix contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where `python -m homestead_lab` begins."""

import sys

from homestead_lab.cli import main

sys.exit(main(sys.argv[1:]))
