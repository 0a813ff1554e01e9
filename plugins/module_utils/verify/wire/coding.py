# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bodies that come encoded although nobody asked for it (RFC 9110 section 8.4)."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

_WINDOWS = {"gzip": 31, "x-gzip": 31, "deflate": 15}
"""What zlib calls the formats that every browser knows."""


def decoded(body: bytes, codings: Iterable[str], *, limit: int) -> bytes:
    """Decode a body, by the values of Content-Encoding, or raise a ValueError of one phrase.

    No more than one byte over the limit is ever made of it.
    """
    names = [name.strip().lower() for line in codings for name in line.split(",")]
    names = [name for name in names if name not in ("", "identity")]
    if not names or not body:
        return body
    if len(names) > 1 or names[0] not in _WINDOWS:
        raise ValueError(f"the body is encoded as {', '.join(names)[:50]}, which nobody asked for")
    decoder = zlib.decompressobj(_WINDOWS[names[0]])
    try:
        content = decoder.decompress(body, limit + 1)
    except zlib.error:
        raise ValueError(f"the body is not the {names[0]} that it should be") from None
    if len(content) <= limit and not decoder.eof:
        raise ValueError(f"the body is {names[0]} that ends too early")
    return content
