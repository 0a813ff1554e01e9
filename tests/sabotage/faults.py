# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every fault that the verifier must name."""

from __future__ import annotations

import importlib
import importlib.util

import faults_calls
import faults_certificates
import faults_documents
import faults_names
import faults_ports
import faults_server
from ansible_collections.homestead.matrix.plugins.plugin_utils.description.components import (
    COMPONENTS as COMPONENTS_TABLE,
)
from ansible_collections.homestead.matrix.tests.lab.components.together import ALL

BASE = {
    "Names": faults_names.FAULTS,
    "Documents": faults_documents.FAULTS,
    "Certificates": faults_certificates.FAULTS,
    "Homeserver and web server": faults_server.FAULTS,
    "Calls": faults_calls.FAULTS,
    "Ports": faults_ports.FAULTS,
}
COMPONENTS = {
    COMPONENTS_TABLE[name].title: importlib.import_module(f"faults_{name}").FAULTS
    for name in ALL
    if importlib.util.find_spec(f"faults_{name}")
}
"""On a server that has all of them."""
CHAPTERS = {**BASE, **COMPONENTS}
FAULTS = [fault for faults in BASE.values() for fault in faults]
COMPONENT_FAULTS = [fault for faults in COMPONENTS.values() for fault in faults]
