// Copyright: the homestead.matrix contributors
// GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
// An identity provider (OpenID Connect): whoever types an e-mail address at its own login page is that person.
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import Provider from "oidc-provider";

const { issuer, clients } = JSON.parse(readFileSync("/etc/identity.json"));
const provider = new Provider(issuer, {
  clients,
  claims: { openid: ["sub"], profile: ["name"], email: ["email", "hd"] },
  conformIdTokenClaims: false,
  cookies: { keys: ["of the lab"] },
  features: { devInteractions: { enabled: true } },
  findAccount: (_context, email) => {
    const [name, hd] = email.split("@");
    return { accountId: email, claims: () => ({ sub: email, email, hd, name }) };
  },
});
const tls = { cert: readFileSync("/etc/identity.crt"), key: readFileSync("/etc/identity.key") };
createServer(tls, provider.callback()).listen(443);
