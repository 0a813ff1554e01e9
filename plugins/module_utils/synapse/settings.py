# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of Synapse's that say who may join, each with the variable from which it follows.

https://element-hq.github.io/synapse/latest/usage/configuration/config_documentation.html
"""

from __future__ import annotations

VARIABLES: dict[str, str] = {
    **dict.fromkeys(
        (
            "enable_registration",
            "disable_registration",
            "enable_registration_without_verification",
            "registration_requires_token",
            "registrations_require_3pid",
            "enable_registration_token_3pid_bypass",
            "disable_msisdn_registration",
        ),
        "matrix_registration",
    ),
    **dict.fromkeys(
        (
            "enable_registration_captcha",
            "recaptcha_public_key",
            "recaptcha_public_key_path",
            "recaptcha_private_key",
            "recaptcha_private_key_path",
        ),
        "matrix_registration_captcha",
    ),
    **dict.fromkeys(
        (
            "email.smtp_host",
            "email.smtp_port",
            "email.smtp_user",
            "email.smtp_pass",
            "email.force_tls",
            "email.require_transport_security",
            "email.enable_tls",
            "email.notif_from",
        ),
        "matrix_smtp",
    ),
    **dict.fromkeys(("oidc_providers", "oidc_config"), "matrix_oidc_providers"),
}
"""A dot leads to a setting inside another."""

ALTERNATIVES = {
    "allowed_local_3pids": "matrix_registration_email_patterns",
    "user_consent": "matrix_registration_terms",
}
"""What can be set as well, if the variable says nothing."""

OURS = {
    "allow_guest_access": "guests would make accounts past every mode of matrix_registration",
    "turn_allow_guests": "there are no guests who could call",
    "registration_shared_secret": "the host makes this secret itself and keeps it in a file",
    "registration_shared_secret_path": "the host makes this secret itself and keeps it in a file",
}
"""What no variable changes, and why."""
