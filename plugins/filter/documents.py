# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter homestead.matrix.documents."""

from __future__ import annotations

DOCUMENTATION = r"""
name: documents
short_description: Make the well-known documents files
version_added: 0.1.0
author: ["The homestead.matrix founders (@homestead-matrix)"]
description:
  - Takes C(matrix_site) and returns the documents that its virtual hosts serve,
    each once, as entries for O(homestead.matrix.service#module:files).
positional: _input
options:
  _input:
    description: The variable C(matrix_site).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Publish the well-known documents
  homestead.matrix.service:
    name: well_known
    files: "{{ matrix_site | homestead.matrix.documents }}"
"""

RETURN = r"""
_value:
  description: A list of dictionaries with C(path), C(document), C(format) and C(on_change).
  type: list
  elements: dict
"""

import posixpath
from collections.abc import Iterator, Mapping
from typing import Any, Callable


def served_files(site: Mapping[str, Any]) -> Iterator[str]:
    """Yield the file behind every document route, as often as it is served."""
    for vhost in site["vhosts"]:
        for route in vhost["routes"]:
            if route["kind"] == "document":
                yield route["file"]


def documents(site: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a file for each document, whose name is that of the document."""
    return [
        {
            "path": path,
            "document": site["well_known"][posixpath.basename(path)],
            "format": "json",
            "on_change": "none",
        }
        for path in dict.fromkeys(served_files(site))
    ]


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., object]]:
        """Return them by name."""
        return {"documents": documents}
