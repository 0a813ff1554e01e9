# Copyright: the homestead.matrix contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab of homestead.matrix: a small internet of containers, needing only Python and docker."""

from hashlib import sha256
from pathlib import Path

CHECKOUT = sha256(str(Path(__file__).resolve().parents[3]).encode()).hexdigest()[:6]
"""What tells the labs of one checkout from those of another on the same engine."""
