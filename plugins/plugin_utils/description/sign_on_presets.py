# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of the providers of single sign-on that many people use.

https://element-hq.github.io/synapse/latest/openid.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Preset:
    """What is known of a provider.

    A `fixed` issuer is no operator's to choose; one with {tenant} needs that. Where everybody may
    have an account, `closed_by` lists the claims that people cannot choose themselves: a
    requirement of another one keeps nobody out.
    """

    title: str = ""
    issuer: str = ""
    fixed: bool = False
    closed_by: tuple[str, ...] = ()
    example: str = ""
    scopes: tuple[str, ...] = ("openid", "profile")
    localpart: str = "{{ user.preferred_username }}"
    subject: str = "{{ user.sub }}"
    settings: Mapping[str, object] = field(default_factory=dict)


PRESETS = {
    "oidc": Preset(),
    "google": Preset(
        title="Google",
        issuer="https://accounts.google.com",
        fixed=True,
        closed_by=("hd", "email", "sub"),
        example="the domain of your Google Workspace, like domain: example.com",
        scopes=("openid", "profile", "email"),
        localpart="{{ user.email | localpart_from_email }}",
        settings={"idp_brand": "google"},
    ),
    "microsoft": Preset(
        title="Microsoft",
        issuer="https://login.microsoftonline.com/{tenant}/v2.0",
        fixed=True,
        localpart="{{ user.preferred_username | localpart_from_email }}",
    ),
    "keycloak": Preset(title="Keycloak"),
    "authentik": Preset(title="authentik"),
    "github": Preset(
        title="GitHub",
        issuer="https://github.com",
        fixed=True,
        closed_by=("login",),
        example="who may, like requirements: {login: [alice, bob]}",
        scopes=("read:user",),
        localpart="{{ user.login }}",
        subject="{{ user.id }}",
        settings={
            "idp_brand": "github",
            "discover": False,
            "authorization_endpoint": "https://github.com/login/oauth/authorize",
            "token_endpoint": "https://github.com/login/oauth/access_token",
            "userinfo_endpoint": "https://api.github.com/user",
        },
    ),
    "gitlab": Preset(
        title="GitLab",
        issuer="https://gitlab.com",
        closed_by=("groups", "nickname", "sub"),
        example="a group whose members may, like requirements: {groups: example}",
        scopes=("openid", "read_user"),
        localpart="{{ user.nickname }}",
        settings={
            "idp_brand": "gitlab",
            "client_auth_method": "client_secret_post",
            "user_profile_method": "userinfo_endpoint",
        },
    ),
}

EVERYBODYS_TENANTS = (
    "common",
    "organizations",
    "consumers",
    "9188040d-6c67-4c5b-b112-36a304b66dad",  # that of private accounts
)
"""Those of Microsoft's that are nobody's organisation."""
