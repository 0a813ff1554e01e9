# Copyright: the homestead.matrix contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab of homestead.matrix: a small internet of containers, needing only Python and docker."""
