# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every fault that the verifier must name."""

from __future__ import annotations

import faults_calls
import faults_certificates
import faults_documents
import faults_names
import faults_ports
import faults_server

CHAPTERS = {
    "Names": faults_names.FAULTS,
    "Documents": faults_documents.FAULTS,
    "Certificates": faults_certificates.FAULTS,
    "Homeserver and web server": faults_server.FAULTS,
    "Calls": faults_calls.FAULTS,
    "Ports": faults_ports.FAULTS,
}
FAULTS = [fault for faults in CHAPTERS.values() for fault in faults]
